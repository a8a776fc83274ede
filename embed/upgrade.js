// Starts the standalone page: what Trunk would write inline, as a file, so that the page's policy can forbid inline
// script. The hashed names of the module's files stand on this script's own tag.

// Before anything else that could fail: what opens the page leaves its address, so that it is neither shared nor kept in the history.
let arrived = location.hash.slice(1);
if (arrived) history.replaceState(null, "", location.pathname + location.search);

const query = new URLSearchParams(location.search);
const page = document.documentElement;
const app = document.getElementById("app");

// It is kept for this tab: a reload shows how things stand.
const KEPT = `upsell-widget:arrived:${query.get("view") === "offer" ? "offer" : "plans"}`;
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
  en: {
    failed: "This page could not be opened. Please reload it.",
    unsupported: "This page cannot be shown in this browser. Please use another browser or device, or write to the seller.",
  },
  ja: {
    failed: "ページを開けませんでした。再度読み込んでください。",
    unsupported: "このページはこのブラウザでは表示できません。別のブラウザまたは端末をお使いいただくか、販売元にお問い合わせください。",
  },
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
  const words = page.lang.startsWith("ja") ? SORRY.ja : SORRY.en;
  note.textContent = globalThis.WebAssembly ? words.failed : words.unsupported;
  app.replaceChildren(note);
}
