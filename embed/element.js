// What happens inside an element once there is something to show. Fetched by the loader together with the module.

/** Puts the widget into the element, and takes it out again when `signal` says so. */
export function show(element, kind, { endpoint, token, secret, locale }, answer, signal, mount) {
  const handle = mount(element, rootOf(element), kind, endpoint, token, secret ?? "", locale, answer);
  signal.addEventListener("abort", () => handle?.unmount(), { once: true });
}

const WORDS = {
  en: {
    offer: "See the offer",
    plans: "Compare the plans",
    on: "Continue",
    sorry: "Your plan cannot be shown in this browser. Please use another browser or device, or ask us to change your plan.",
  },
  ja: {
    offer: "オファーの内容を見る",
    plans: "プランを比較する",
    on: "続ける",
    sorry: "このブラウザではプランを表示できません。別のブラウザまたは端末をお使いいただくか、お問い合わせください。",
  },
};
const wordsOf = (locale) => WORDS[locale.split("-")[0].toLowerCase()] ?? WORDS.en;

/**
 * Where the page's policy does not let WebAssembly run: the merchant's headline and a link to the proxy's own page, which shows the
 * same offer under a policy of its own. The token belongs to this browser on this page's origin, so that page gets one of its own,
 * for a one-time code that is fetched at the press and travels in the fragment, which is never sent. In a frame a second press is
 * needed: that page refuses frames, and a browser lets a frame leave its page only while a press is fresh.
 */
export function link(element, kind, config, answer, signal, call) {
  const { endpoint, token, locale } = config;
  const { offer, language = locale } = kind === "offer" ? JSON.parse(answer) : {};
  const headline = kind === "offer" ? offer?.headline : "";
  // A basic backend of the merchant's own has no such page.
  if (headline === undefined || !token) throw new Error("WebAssembly is not allowed on this page");
  const target = new URL("/upgrade/", endpoint);
  target.search = new URLSearchParams({ view: kind, locale });

  // One language: that of the merchant's words, where there are words in it.
  const words = wordsOf(language);
  const title = Object.assign(document.createElement("p"), { textContent: headline });
  title.setAttribute("part", "headline");
  title.hidden = !headline;
  const way = Object.assign(document.createElement("a"), { href: target, target: "_top", textContent: words[kind] });
  way.setAttribute("part", "accept");
  way.rel = "noopener noreferrer";
  const goTo = (address, label) => Object.assign(way, { href: address, textContent: label });
  let ready = false;
  way.addEventListener("click", (event) => {
    if (ready) {
      // The second press in a frame follows the link. The code in it is good once.
      ready = false;
      return void setTimeout(goTo, 0, target, words[kind]);
    }
    event.preventDefault();
    call(config, "/handover", signal, {}).then(
      (text) => {
        const next = new URL(target);
        next.hash = new URLSearchParams({ code: JSON.parse(text).code });
        if (window === window.top) return void location.assign(next);
        ready = true;
        goTo(next, words.on);
      },
      (error) => console.warn(`<${element.localName}>: ${error.message}`),
    );
  });
  fill(element, signal, title, way);
}

/** Where the browser has no WebAssembly: says that the plans cannot be shown here, and what else to do. */
export function apologise(element, { locale }, signal) {
  const note = Object.assign(document.createElement("p"), { textContent: wordsOf(locale).sorry });
  note.setAttribute("part", "message");
  fill(element, signal, note);
}

/** Puts plain nodes into the element, and takes them out again when `signal` says so. */
function fill(element, signal, ...nodes) {
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
  root.replaceChildren(...nodes);
  signal.addEventListener("abort", () => root.replaceChildren(), { once: true });
}

/** An element keeps its shadow root for life; it can be taken off the page and put back. */
function rootOf(element) {
  return element.shadowRoot ?? element.attachShadow({ mode: "open" });
}
