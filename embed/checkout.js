// For shops without a server: begins a checkout at the proxy, and exchanges the code in the return address for a token.
// Served as it is, and fetched by a page that begins a checkout or whose element has `redeem`. The code, the payment in the
// return address and the secret of this browser have to be of one checkout: whoever was sent its address has not all three.

const RETURN = "upsell-widget:return";
const PATIENCE_MS = 8000;
// As the proxy writes it (crates/proxy/src/service/sessions.rs), with the `#` before it, `?` or `&` where somebody has moved it into a
// query, or those in percent-encoding, and the `=` that re-written queries have behind a name.
const CODE = /(%23|[#?&])?upsell-return-([\w-]{43})=?/;

/** What this tab keeps; a storage that throws has nothing. */
function stored() {
  try {
    return sessionStorage.getItem(RETURN) ?? "";
  } catch {
    return "";
  }
}
function store(value) {
  try {
    if (value) sessionStorage.setItem(RETURN, value);
    else sessionStorage.removeItem(RETURN);
  } catch {
    // done without
  }
}

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json" },
    body: JSON.stringify(body),
    cache: "no-store",
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) throw new Error(`the proxy answered ${response.status}`);
  return response.json();
}

/**
 * Begins a checkout and goes to it. `endpoint` is the element's. The offer after it is for this browser alone, which is told
 * by a secret in its storage: without storage there is a checkout, and no offer.
 */
export async function startCheckout(endpoint, product_id, quantity) {
  const { browser } = await import("./upsell.js");
  const base = new URL(endpoint.replace(/\/+$/, ""), document.baseURI);
  const { checkout_url } = await post(new URL("checkouts", base), { product_id, quantity, browser: kept(browser()) });
  location.assign(checkout_url);
}

/** A secret that is there when the buyer comes back. */
function kept(secret) {
  return secret.startsWith("page-") ? undefined : secret;
}

/**
 * What a return address says: the one-time code and the payment, wherever in it others have put them, and the address without the
 * code and without what only led to it. Everything else stays as it is. Null where there is no code.
 */
export function readReturn(address) {
  const found = CODE.exec(address);
  if (!found) return null;
  // Whatever the shop's own address has, what Dodo adds comes last.
  const payment_id = [...address.matchAll(/[?&#]payment_id=([\w-]+)/g)].at(-1)?.[1];
  let clean = address;
  for (let at = found; at; at = CODE.exec(clean)) {
    const before = clean.slice(0, at.index);
    const after = clean.slice(at.index + at[0].length);
    const mark = at[1] ?? "";
    // In the middle of a query the mark before the code is that of what follows; before a fragment and at the end it goes.
    if (mark && after[0] === "&") clean = before + mark + after.slice(1);
    else if (mark && after[0] === "?" && mark === "?") clean = before + after;
    else if (!after || after[0] === "#") clean = before + after;
    else clean = before + mark + after;
  }
  return { nonce: found[2], payment_id, clean };
}

/** What is kept for this tab until the code is exchanged: a payment may take longer to settle than a buyer waits before reloading.
 * The code is taken out of the address, so that it is not shared. */
let back;
function takeReturn(arrived) {
  const here = readReturn(location.href);
  const { nonce, payment_id } = here ?? readReturn(arrived) ?? {};
  if (nonce && !back?.includes(nonce)) {
    back = JSON.stringify({ nonce, payment_id });
    store(back);
  }
  if (here) history.replaceState(history.state, "", here.clean);
  return (back ??= stored());
}

/** The token for this return, or "" where nothing was begun in this browser. A code is good for one token; elements of one
 * page share it. `secret` is the browser's, `arrived` the address with which the page was opened. */
const tokens = new Map();
export async function redeem(endpoint, secret, arrived) {
  const code = takeReturn(arrived);
  const key = `${endpoint} ${code}`;
  if (!tokens.has(key)) {
    const browser = kept(secret);
    if (!code || !browser) return "";
    const token = exchange(endpoint, { ...JSON.parse(code), browser });
    token.catch(() => tokens.delete(key));
    tokens.set(key, token);
  }
  return tokens.get(key);
}

/** The code opens nothing before the payment is through, which may be a moment after the buyer is back. */
async function exchange(endpoint, body) {
  for (const pause of [1000, 3000, 9000, 0]) {
    try {
      const { token } = await post(`${endpoint}/redeem`, body);
      store("");
      return token;
    } catch (error) {
      if (!pause) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
