// Starts the standalone page: what Trunk would write inline, as a file, so that the page's policy can forbid inline
// script. The hashed names of the module's files stand on this script's own tag.

const query = new URLSearchParams(location.search);
const page = document.documentElement;
if (/^(light|dark)$/.test(query.get("theme") ?? "")) page.dataset.theme = query.get("theme");
if (/^(ltr|rtl)$/.test(query.get("dir") ?? "")) page.dir = query.get("dir");
if (/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(query.get("locale") ?? "")) page.lang = query.get("locale");

const SORRY = {
  en: "This page could not be opened. Please reload it. Nothing has been charged.",
  ja: "ページを開けませんでした。再度読み込んでください。請求は行われていません。",
};

async function begin({ module, wasm }) {
  const { default: start } = await import(module);
  await start({ module_or_path: wasm });
}

/** The names on the page that is served now: this one may name files of a release that is gone. */
async function namesNow() {
  const text = await (await fetch(location.pathname, { cache: "reload" })).text();
  const named = (name) => new RegExp(`data-${name}="([^"]+)"`).exec(text)[1];
  return { module: named("module"), wasm: named("wasm") };
}

try {
  await begin(document.querySelector("script[data-module]").dataset).catch(async () => begin(await namesNow()));
} catch {
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  note.textContent = page.lang.startsWith("ja") ? SORRY.ja : SORRY.en;
  document.getElementById("app").replaceChildren(note);
}
