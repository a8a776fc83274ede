// The loader: defines the elements, asks the proxy, and fetches the rest only when there is something to show.
// Served as it is; docs/EMBED.md says what a page may rely on. Nothing here throws into the page.

const ATTRIBUTES = ["endpoint", "token", "locale", "theme", "redeem"];
const LEDGER = "upsell-widget:declined";
const PATIENCE_MS = 8000;

/** The element's attributes as a checked object, or a sentence for the developer about what is wrong with them. */
function read(element) {
  const text = (name) => (element.getAttribute(name) ?? "").trim();
  if (!text("endpoint")) return "the endpoint attribute is missing";
  const url = parseUrl(text("endpoint"));
  if (!url || !/^https?:$/.test(url.protocol)) return "endpoint is not an http(s) address";
  if (url.username || url.password || url.search || url.hash) return "endpoint has more than an origin and a path";
  if (!/^[\w.~+/=-]{0,4096}$/.test(text("token"))) return "token has characters that no token has";
  const locale = text("locale") || element.closest("[lang]")?.lang || document.documentElement.lang || "en";
  if (!/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/.test(locale)) return "locale is not a language tag";
  if (!/^(light|dark|auto)?$/.test(text("theme"))) return "theme is not light, dark or auto";
  return {
    endpoint: url.href.replace(/\/+$/, ""),
    token: text("token"),
    locale: locale.replaceAll("_", "-"),
    redeem: element.hasAttribute("redeem"),
  };
}

function parseUrl(text) {
  try {
    return new URL(text, document.baseURI);
  } catch {
    return null;
  }
}

/** One call to the proxy: the body's text, or an error that says the status. */
async function call({ endpoint, token }, path, signal, body) {
  const response = await fetch(endpoint + path, {
    method: body ? "POST" : "GET",
    headers: {
      accept: "application/json",
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
    cache: "no-store",
    // A token says whose page it is. Without one, a backend on the page's own origin may know the buyer by a cookie.
    credentials: token ? "omit" : "same-origin",
    referrerPolicy: "no-referrer",
    keepalive: Boolean(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
  });
  if (!response.ok) throw new Error(`the proxy answered ${response.status}`);
  return response.text();
}

function parseAnswer(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable("the endpoint does not answer with JSON");
  }
}

function unreadable(message) {
  return Object.assign(new Error(message), { code: "unreadable" });
}

/** Whether there is something to show. The module reads the rest, and names what it cannot use. */
function hasOffer(answer) {
  if (answer?.attempt) return true;
  if (![true, false, "true", "false"].includes(answer?.eligible)) throw unreadable("the answer has no usable eligible");
  if (String(answer.eligible) === "false") return false;
  if (!answer.product) throw unreadable("the answer has no usable product");
  return true;
}

/** Whether this browser has refused the thing offered. Storage that throws knows of nothing. */
function refused(answer) {
  const key = answer.offer?.decline_key ?? `product:${answer.product?.id ?? answer.product?.product_id}`;
  try {
    return JSON.parse(localStorage.getItem(LEDGER) ?? "[]").some((entry) => entry.key === key);
  } catch {
    return false;
  }
}

/** Compiles eight bytes: the only way to learn whether the page's policy lets WebAssembly run. */
function wasmAllowed() {
  try {
    return Boolean(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
  } catch {
    return false;
  }
}

/** What fills an element, fetched once for the page, all parts at the same time; a failure is forgotten. */
const parts = {};
function load(kind) {
  parts[kind] ??= fetchParts(kind).catch((error) => {
    delete parts[kind];
    throw error;
  });
  return parts[kind];
}
async function fetchParts(kind) {
  const inside = import("./element.js");
  if (!wasmAllowed()) return { ...(await inside), mount: undefined };
  const bytes = fetch(new URL(`./upsell_${kind}_bg.wasm`, import.meta.url));
  bytes.catch(() => {}); // awaited below
  const [{ show, link }, glue] = await Promise.all([inside, import(`./upsell_${kind}.js`)]);
  await glue.default({ module_or_path: bytes });
  return { show, link, mount: glue.mount };
}

/** From attributes to something on the page, or to nothing. */
async function run(element, kind, signal) {
  const config = read(element);
  if (typeof config === "string") return void console.warn(`<${element.localName}>: ${config}`);
  if (config.redeem && !config.token) {
    config.token = await (await import("./checkout.js")).redeem(config.endpoint);
    if (!config.token) return;
  }
  const question = `?locale=${encodeURIComponent(config.locale)}`;
  // There is always something to say about plans, so all of it is fetched at once: the comparison explains itself when
  // it has no answer. An offer that cannot load does not exist.
  if (kind === "plans") load(kind).catch(() => {}); // awaited below
  const text = await call(config, question, signal).catch((error) => {
    if (kind === "offer" || signal.aborted) throw error;
    return "";
  });
  if (kind === "offer") {
    const answer = parseAnswer(text);
    if (!hasOffer(answer)) return;
    if (answer.eligible && refused(answer)) {
      // The buyer said no while the proxy could not hear it: say it again, show nothing.
      if (answer.offer) await call(config, "/decline", signal, { offer_id: answer.offer.id });
      return;
    }
  }
  const { mount, show, link } = await load(kind);
  if (signal.aborted) return;
  if (mount) show(element, kind, config, text, signal, mount);
  else link(element, kind, config, text, signal);
}

class UpsellElement extends HTMLElement {
  static observedAttributes = ATTRIBUTES;
  #shown = "";
  #stop = new AbortController();
  #queued = false;

  connectedCallback() {
    // Properties that the page set before this class was known.
    for (const name of ATTRIBUTES.filter((name) => Object.hasOwn(this, name))) {
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#queue();
  }
  disconnectedCallback() {
    this.#queue();
  }
  attributeChangedCallback() {
    this.#queue();
  }

  /** All causes of change meet in one microtask, so that moving the element is no change at all. */
  #queue() {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      this.#settle();
    });
  }
  #settle() {
    // The theme is a matter of style only.
    const now = ATTRIBUTES.filter((name) => name !== "theme").map((name) => this.getAttribute(name));
    const wanted = this.isConnected ? JSON.stringify(now) : "";
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.#stop.abort();
    if (!wanted) return;
    const { signal } = (this.#stop = new AbortController());
    run(this, this.constructor.kind, signal).catch((error) => {
      if (signal.aborted) return;
      console.warn(`<${this.localName}>: ${error.message}`);
      const detail = { kind: this.constructor.kind, code: error.code ?? "unavailable" };
      this.dispatchEvent(new CustomEvent("upsell-failed", { bubbles: true, composed: true, detail }));
    });
  }
}

for (const name of ATTRIBUTES) {
  Object.defineProperty(UpsellElement.prototype, name, {
    get() {
      return this.getAttribute(name) ?? "";
    },
    set(value) {
      if (value === null || value === undefined || value === false) this.removeAttribute(name);
      else this.setAttribute(name, value === true ? "" : value);
    },
    configurable: true,
    enumerable: true,
  });
}

for (const kind of ["offer", "plans"]) {
  // Another copy of this script, or another library, may have been first.
  if (!customElements.get(`upsell-${kind}`)) {
    customElements.define(`upsell-${kind}`, class extends UpsellElement {
      static kind = kind;
    });
  }
}
