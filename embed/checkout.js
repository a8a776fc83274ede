// For shops without a server: begins a checkout at the proxy, and exchanges the code in the return address for a token.
// Served as it is, and fetched by a page that begins a checkout or whose element has `redeem`. The code, the payment in the
// return address and the secret of this browser have to be of one checkout: whoever was sent its address has not all three.

const BROWSER = "upsell-widget:browser";
const RETURN = "upsell-widget:return";
const PATIENCE_MS = 8000;

/** An entry of a storage; one that throws has none. */
function kept(storage, key) {
  try {
    return globalThis[storage].getItem(key) ?? "";
  } catch {
    return "";
  }
}
function keep(storage, key, value) {
  try {
    if (value) globalThis[storage].setItem(key, value);
    else globalThis[storage].removeItem(key);
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
  if (!kept("localStorage", BROWSER)) {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    keep("localStorage", BROWSER, Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
  const browser = kept("localStorage", BROWSER) || undefined;
  const base = new URL(endpoint.replace(/\/+$/, ""), document.baseURI);
  const { checkout_url } = await post(new URL("checkouts", base), { product_id, quantity, browser });
  location.assign(checkout_url);
}

/** What the return address says: the one-time code, which is taken out of it so that it is not shared, and the payment. It
 * is kept for this tab until it is exchanged: a payment may take longer to settle than a buyer waits before reloading. */
let back;
function takeReturn() {
  const found = /[?#&]os=([\w-]{16,128})(?=[&#]|$)/.exec(location.href);
  if (found) {
    const payment_id = new URLSearchParams(location.search).get("payment_id") ?? undefined;
    back = JSON.stringify({ nonce: found[1], payment_id });
    keep("sessionStorage", RETURN, back);
    const clean = location.href.replace(found[0], found[0][0]).replace(/([?#&])&/, "$1").replace(/[?&#](?=#|$)/, "");
    history.replaceState(history.state, "", clean);
  }
  return (back ??= kept("sessionStorage", RETURN));
}

/** The token for this return, or "" where nothing was begun in this browser. A code is good for one token; elements of one
 * page share it. */
const tokens = new Map();
export async function redeem(endpoint) {
  const code = takeReturn();
  const key = `${endpoint} ${code}`;
  if (!tokens.has(key)) {
    const browser = kept("localStorage", BROWSER);
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
      keep("sessionStorage", RETURN, "");
      keep("localStorage", BROWSER, "");
      return token;
    } catch (error) {
      if (!pause) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
