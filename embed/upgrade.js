// Starts the standalone page: what Trunk would write inline, as a file, so that the page's policy can forbid inline
// script. The hashed names of the module's files stand on this script's own tag.

const query = new URLSearchParams(location.search);
const page = document.documentElement;
if (/^(light|dark)$/.test(query.get("theme") ?? "")) page.dataset.theme = query.get("theme");
if (/^(ltr|rtl)$/.test(query.get("dir") ?? "")) page.dir = query.get("dir");
if (/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(query.get("locale") ?? "")) page.lang = query.get("locale");

const SORRY = {
  en: "This page could not be opened. Please reload it.",
  ja: "ページを開けませんでした。再度読み込んでください。",
};

try {
  const { module, wasm } = document.querySelector("script[data-module]").dataset;
  const { default: start } = await import(module);
  await start({ module_or_path: wasm });
} catch {
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  note.textContent = page.lang.startsWith("ja") ? SORRY.ja : SORRY.en;
  document.getElementById("app").replaceChildren(note);
}
