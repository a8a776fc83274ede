// What happens inside an element once there is something to show. Fetched by the loader together with the module.

/** Puts the widget into the element, and takes it out again when `signal` says so. */
export function show(element, kind, { endpoint, token, locale }, answer, signal, mount) {
  const handle = mount(element, rootOf(element), kind, endpoint, token, locale, answer);
  signal.addEventListener("abort", () => handle?.unmount(), { once: true });
}

const WORDS = {
  en: { offer: "See the offer", plans: "Compare the plans" },
  ja: { offer: "オファーの内容を見る", plans: "プランを比較する" },
};

/**
 * Where the page's policy does not let WebAssembly run: the merchant's headline and a link to the proxy's own page,
 * which shows the same offer under a policy of its own. The token travels in the fragment, which is never sent.
 */
export function link(element, kind, { endpoint, token, locale }, answer, signal) {
  const headline = kind === "offer" ? JSON.parse(answer).offer?.headline : "";
  // A basic backend of the merchant's own has no such page.
  if (headline === undefined || !token) throw new Error("WebAssembly is not allowed on this page");
  const target = new URL("/upgrade/", endpoint);
  target.search = new URLSearchParams({ view: kind, locale });
  target.hash = new URLSearchParams({ token });

  const words = WORDS[locale.split("-")[0].toLowerCase()] ?? WORDS.en;
  const title = Object.assign(document.createElement("p"), { textContent: headline });
  title.setAttribute("part", "headline");
  title.hidden = !headline;
  const way = Object.assign(document.createElement("a"), { href: target, textContent: words[kind] });
  way.setAttribute("part", "accept");
  way.rel = "noopener noreferrer";

  const root = rootOf(element);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block; max-inline-size: 34rem; margin-inline: auto; }
    p { margin: 0 0 12px; font: 600 1.25rem/1.25 system-ui, sans-serif; }
    p[hidden] { display: none; }
    a { display: inline-block; padding: 14px 20px; border: 1px solid; border-radius: 8px;
        color: inherit; font: 600 1rem/1.25 system-ui, sans-serif; text-decoration: none; }
    a:hover { text-decoration: underline; }`);
  root.adoptedStyleSheets = [sheet];
  root.replaceChildren(title, way);
  signal.addEventListener("abort", () => root.replaceChildren(), { once: true });
}

/** An element keeps its shadow root for life; it can be taken off the page and put back. */
function rootOf(element) {
  return element.shadowRoot ?? element.attachShadow({ mode: "open" });
}
