// Starts the standalone page: what Trunk would write inline, as a file, so that the page's policy can forbid inline
// script. The hashed names of the module's files stand on this script's own tag.

const query = new URLSearchParams(location.search);
const page = document.documentElement;
const app = document.getElementById("app");

// What opens the page leaves its address before anything else can fail, and is kept for this tab: a reload shows how things stand.
const KEPT = `upsell-widget:arrived:${query.get("view") === "offer" ? "offer" : "plans"}`;
let arrived = location.hash.slice(1);
if (arrived) history.replaceState(null, "", location.pathname + location.search);
try {
  if (arrived) sessionStorage.setItem(KEPT, arrived);
  else arrived = sessionStorage.getItem(KEPT) ?? "";
} catch {
  // Without storage a reload has to begin at the shop.
}
app.dataset.arrived = arrived;
// Opened once more in the same tab, with another token: only the fragment changes.
addEventListener("hashchange", () => location.hash && location.reload());

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
  app.replaceChildren(note);
}
