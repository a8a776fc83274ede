// Starts the standalone page: what Trunk would write inline, as a file, so that the page's policy can forbid inline
// script. The hashed names of the module's files stand on this script's own tag.

// Before anything else that could fail: the token leaves the address, so that it is neither shared nor kept in the history.
// The module takes it from this variable.
const fragment = new URLSearchParams(location.hash.slice(1));
if (location.hash) history.replaceState(null, "", location.pathname + location.search);
globalThis.upsellToken = fragment.get("token") ?? "";

const query = new URLSearchParams(location.search);
const page = document.documentElement;
if (/^(light|dark)$/.test(query.get("theme") ?? "")) page.dataset.theme = query.get("theme");
if (/^(ltr|rtl)$/.test(query.get("dir") ?? "")) page.dir = query.get("dir");
if (/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(query.get("locale") ?? "")) page.lang = query.get("locale");

const SORRY = {
  en: {
    failed: "This page could not be opened. Please go back and open it again.",
    unsupported: "This page cannot be shown in this browser. Please use another browser or device, or write to the seller.",
  },
  ja: {
    failed: "ページを開けませんでした。前のページに戻って、もう一度開いてください。",
    unsupported: "このページはこのブラウザでは表示できません。別のブラウザまたは端末をお使いいただくか、販売元にお問い合わせください。",
  },
};

try {
  const { module, wasm } = document.querySelector("script[data-module]").dataset;
  const { default: start } = await import(module);
  await start({ module_or_path: wasm });
} catch {
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  const words = page.lang.startsWith("ja") ? SORRY.ja : SORRY.en;
  note.textContent = globalThis.WebAssembly ? words.failed : words.unsupported;
  document.getElementById("app").replaceChildren(note);
}
