// The loader: defines the elements, asks the proxy, and fetches the rest only when there is something to show.
// Served as it is; docs/EMBED.md says what a page may rely on. Nothing here throws into the page.

const ATTRIBUTES = ["endpoint", "token", "locale", "theme", "redeem"];
const LEDGER = "upsell-widget:declined";
const PATIENCE_MS = 8000;
// A router may have changed it by the time an element is there.
const ARRIVED = location.href;
const BROWSER = "upsell-widget:browser";
const BROWSER_LASTS_MS = 25 * 3600 * 1000;
// One for the page, however many copies of this script.
const IN_MEMORY = Symbol.for(BROWSER);

// What this copy of the loader goes with. The build puts names by content in the place of these.
const FILES = {
  element: "./element.js",
  checkout: "./checkout.js",
  offer: { glue: "./upsell_offer.js", module: "./upsell_offer_bg.wasm" },
  plans: { glue: "./upsell_plans.js", module: "./upsell_plans_bg.wasm" },
};

/** The languages that the module has words in (`src/text`): merchants who write in one of them are asked for it. */
const LANGUAGES = "en,ja";
const TAG = /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/;

/**
 * The element's attributes as a checked object, or a sentence for the developer about what is wrong with them. Only
 * `endpoint` and `token` can be wrong: what is a matter of looks falls back, and `remarks` says so.
 */
function read(element) {
  const text = (name) => (element.getAttribute(name) ?? "").trim();
  if (!text("endpoint")) return "the endpoint attribute is missing";
  const url = parseUrl(text("endpoint"));
  if (!url || !/^https?:$/.test(url.protocol)) return "endpoint is not an http(s) address";
  if (url.username || url.password || url.search || url.hash) return "endpoint has more than an origin and a path";
  if (!/^[\w.~+/=-]{0,4096}$/.test(text("token"))) return "token has characters that no token has";
  const remarks = [];
  if (!/^(light|dark|auto)?$/i.test(text("theme"))) remarks.push("theme is not light, dark or auto: auto is taken");
  return {
    endpoint: url.href.replace(/\/+$/, ""),
    token: text("token"),
    locale: localeOf(element, text("locale"), remarks),
    redeem: element.hasAttribute("redeem"),
    remarks,
  };
}

/** The first language tag among the element's own, the `lang` of what is around it, and English. */
function localeOf(element, own, remarks) {
  const said = [own];
  // Out of a shadow root the way leads over its host.
  for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) said.push(at.getAttribute("lang")?.trim());
  const named = said.filter(Boolean);
  const good = named.findIndex((tag) => TAG.test(tag));
  const locale = good < 0 ? "en" : named[good].replaceAll("_", "-");
  if (good && named.length) remarks.push(`"${named[0].slice(0, 40)}" is not a language tag: ${locale} is taken`);
  return locale;
}

/** Templates and frameworks write these where the token is not known yet. */
function isAwaited(element) {
  return /^\s*(undefined|null)?\s*$/i.test(element.getAttribute("token") ?? "-") && !element.hasAttribute("redeem");
}

function parseUrl(text) {
  try {
    return new URL(text, document.baseURI);
  } catch {
    return null;
  }
}

/**
 * The secret by which the proxy knows this browser again: a token is good in the first browser that uses it, and in no other that
 * was served the same page. It is forgotten 25 hours after its last use. Where nothing can be stored it lasts as long as the page,
 * and says so.
 */
export function browser() {
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(32)), (b) => b.toString(16).padStart(2, "0")).join("");
  try {
    const now = Date.now();
    const [kept, used] = (localStorage.getItem(BROWSER) ?? "").split(" ");
    const good = /^[\w-]{32,128}$/.test(kept) && now - used < BROWSER_LASTS_MS;
    localStorage.setItem(BROWSER, `${good ? kept : random()} ${now}`);
    // What is there now: some browsers store nothing and throw nothing.
    return localStorage.getItem(BROWSER).split(" ")[0];
  } catch {
    return (globalThis[IN_MEMORY] ??= `page-${random()}`);
  }
}

/** One call to the proxy: the body's text, or an error with the problem's code. Without a token there is no secret either: a
 * backend of the merchant's own need not know that header. */
async function call({ endpoint, token, secret }, path, signal, body) {
  // Both reasons to stop in one signal. Browsers that run the module may not have AbortSignal.any.
  const stop = new AbortController();
  if (signal.aborted) stop.abort();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  setTimeout(() => stop.abort(new Error("the endpoint took too long")), PATIENCE_MS);
  const response = await fetch(endpoint + path, {
    method: body ? "POST" : "GET",
    headers: {
      accept: "application/json",
      ...(token && { authorization: `Bearer ${token}`, "upsell-browser": secret }),
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
    cache: "no-store",
    // A token says whose page it is. Without one, a backend on the page's own origin may know the buyer by a cookie.
    credentials: token ? "omit" : "same-origin",
    referrerPolicy: "no-referrer",
    keepalive: Boolean(body),
    signal: stop.signal,
  });
  if (response.ok) return response.text();
  const { code, retry_after } = await response.json().catch(() => ({}));
  const error = new Error(`the proxy answered ${response.status}`);
  const { status } = response;
  throw Object.assign(error, { status, code: status === 401 ? "unauthorized" : code, retry_after });
}

/** The answer to the page's question. While Dodo has not confirmed what the token was made for there is nothing to show yet. */
async function ask(config, question, signal) {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await call(config, question, signal);
    } catch (error) {
      const pause = (error.retry_after || 1) * 1000;
      if (error.code !== "not_confirmed_yet" || performance.now() + pause > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted) throw error;
    }
  }
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

/**
 * Runs a module of eight bytes: the only way to learn whether the page's policy forbids WebAssembly. WebKit compiles under
 * such a policy and refuses to instantiate.
 */
function wasmAllowed() {
  try {
    return Boolean(new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))));
  } catch {
    return false;
  }
}

/** A part of the widget, or an error that says that it was one: gone with its release, or of another one. */
function part(loading) {
  return loading.catch((error) => {
    throw Object.assign(new Error("a part of the widget could not be loaded"), { isPart: true, cause: error });
  });
}

/** What fills an element, fetched once for the page, all parts at the same time; a failure is forgotten. */
const parts = {};
function load(kind) {
  parts[kind] ??= part(fetchParts(kind)).catch((error) => {
    delete parts[kind];
    throw error;
  });
  return parts[kind];
}
async function fetchParts(kind) {
  const inside = import(FILES.element);
  if (!wasmAllowed()) return { ...(await inside), mount: undefined };
  const { glue: script, module } = FILES[kind];
  const bytes = fetch(new URL(module, import.meta.url)).then((response) => {
    if (!response.ok) throw new Error(`the module was answered with ${response.status}`);
    return response;
  });
  bytes.catch(() => {}); // awaited below
  const [{ show, link }, glue] = await Promise.all([inside, import(script)]);
  await glue.default({ module_or_path: bytes });
  return { show, link, mount: glue.mount };
}

/** The loader that is served now, past every cache. A cached one may name parts that are gone. Once for the page. */
let newest;
function fetchNewest() {
  const url = new URL(import.meta.url);
  // Already one: its parts are missing, or the network is.
  if (url.searchParams.has("fresh")) return undefined;
  url.searchParams.set("fresh", Date.now());
  return (newest ??= import(url).catch((error) => {
    newest = undefined;
    throw error;
  }));
}

/** Runs an element, and where a part is missing once more with the loader that is served now. `redeemed` is handed on: a
 * code is exchanged for a token once. */
export async function run(element, kind, signal, redeemed = {}) {
  try {
    await begin(element, kind, signal, redeemed);
  } catch (error) {
    const fresh = error.isPart && !signal.aborted && fetchNewest();
    if (!fresh) throw error;
    await (await fresh).run(element, kind, signal, redeemed);
  }
}

/** From attributes to something on the page, or to nothing. */
async function begin(element, kind, signal, redeemed) {
  if (isAwaited(element)) return;
  const config = read(element);
  const warn = (text) => console.warn(`<${element.localName}>: ${text}`);
  if (typeof config === "string") return void warn(config);
  config.remarks.forEach(warn);
  if (!globalThis.WebAssembly) {
    // As in Apple's Lockdown Mode. The proxy's own page needs it too.
    if (kind === "plans") {
      const { apologise } = await part(import(FILES.element));
      if (!signal.aborted) apologise(element, config, signal);
    }
    return void warn("this browser has no WebAssembly");
  }
  if (config.redeem && !config.token) {
    redeemed.token ||= await (await part(import(FILES.checkout))).redeem(config.endpoint, browser(), ARRIVED);
    if (!redeemed.token) return;
    config.token = redeemed.token;
  }
  if (config.token) config.secret = browser();
  const question = `?locale=${encodeURIComponent(config.locale)}&languages=${LANGUAGES}`;
  // There is always something to say about plans, so all of it is fetched at once: the comparison explains itself when
  // it has no answer. An offer that cannot load does not exist.
  const loading = kind === "plans" && config.token && load(kind);
  if (loading) loading.catch(() => {}); // awaited below
  const text = await ask(config, question, signal).catch((error) => {
    // Without an attribute this may be a backend that needs no token, or an element whose token is to come.
    if (error.status === 401 && !config.token) return null;
    if (kind === "offer" || signal.aborted) throw error;
    // The comparison says that a session is over, in the words of its own answer.
    return error.code === "unauthorized" ? undefined : "";
  });
  if (text === null) return void console.info(`<${element.localName}>: waits for a token`);
  if (kind === "offer") {
    const answer = parseAnswer(text);
    if (!hasOffer(answer)) return;
    if (answer.eligible && refused(answer)) {
      // The buyer said no while the proxy could not hear it: say it again, show nothing.
      if (answer.offer) await call(config, "/decline", signal, { offer_id: answer.offer.id });
      return;
    }
  }
  const { mount, show, link } = await (loading || load(kind));
  if (signal.aborted) return;
  if (mount) show(element, kind, config, text, signal, mount);
  else link(element, kind, config, text, signal, call);
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
      const code = ["unauthorized", "unreadable"].includes(error.code) ? error.code : "unavailable";
      const detail = { kind: this.constructor.kind, code };
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
      // A token that is set to nothing is to come; an element without the attribute has a backend that needs none.
      if (name === "token" && (value === null || value === undefined)) this.setAttribute(name, "");
      else if (value === null || value === undefined || value === false) this.removeAttribute(name);
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
