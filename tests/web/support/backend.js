// A scripted backend in place of the network. Each backend has an origin of its own; requests to anywhere else go out
// as usual. A route's replies are used up in order; the last one stays.
const origins = new Map();
const real = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const request = input instanceof Request ? input : new Request(input, init);
  const url = new URL(request.url);
  const backend = origins.get(url.origin);
  if (!backend) return real(input, init);
  backend.begun.push(`${request.method} ${url.pathname.replace("/v1", "")}`);
  const call = {
    method: request.method,
    path: url.pathname.replace("/v1", "") + url.search,
    body: request.method === "GET" ? "" : await request.clone().text(),
    headers: Object.fromEntries(request.headers),
    options: [request.cache, request.credentials, request.referrerPolicy, request.redirect, String(request.keepalive)],
    aborted: false,
  };
  request.signal.addEventListener("abort", () => { call.aborted = true; });
  backend.calls.push(call);
  const replies = backend.routes.get(`${call.method} ${url.pathname.replace("/v1", "")}`) ?? [{ status: 404, body: "" }];
  const reply = replies.length > 1 ? replies.shift() : replies[0];
  if (reply.status === 0) throw new TypeError("Failed to fetch");
  if (reply.status === -1) {
    // Never answers; ends only when it is aborted.
    await new Promise((_, reject) => {
      request.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
  }
  return new Response(reply.status === 204 ? null : reply.body, { status: reply.status });
};

export function open_backend(origin) {
  origins.set(origin, { routes: new Map(), calls: [], begun: [] });
}

export function add_reply(origin, route, status, body) {
  const { routes } = origins.get(origin);
  routes.set(route, [...(routes.get(route) ?? []), { status, body }]);
}

export function calls_of(origin) {
  return JSON.stringify(origins.get(origin).calls);
}

/** How many requests of one kind have begun, whether or not their bodies have been read. */
export function begun_of(origin, route) {
  return origins.get(origin).begun.filter((begun) => begun === route).length;
}

export function count_of(origin) {
  return origins.get(origin).calls.length;
}

const STORAGES = ["localStorage", "sessionStorage"];
const whole = STORAGES.map((name) => Object.getOwnPropertyDescriptor(window, name));

/** Every storage throws, as on pages that are not allowed any; or works again. */
export function break_storage(broken) {
  const throwing = { configurable: true, get() { throw new DOMException("no storage here", "SecurityError"); } };
  STORAGES.forEach((name, at) => Object.defineProperty(window, name, broken ? throwing : whole[at]));
}
