// A reverse proxy in front of the product's proxy that can break its answers, for real, on the wire.
//
// Every fault is a function of (request, response): it may answer, stall, or cut the connection. Faults carry the CORS
// headers of a healthy answer unless they say otherwise, so that the widget really gets to read the broken body.

import { request as httpRequest } from 'node:http';
import { readBody, startServer } from './server.mjs';

export class Gateway {
  #target;
  #server;
  #rules = [];
  /** Every request that came through: `{method, path, headers, body}`. */
  seen = [];

  static async start(target) {
    const gateway = new Gateway();
    gateway.#target = new URL(target);
    gateway.#server = await startServer((request, response) => gateway.#handle(request, response));
    gateway.url = gateway.#server.url;
    return gateway;
  }

  stop() {
    return this.#server.stop();
  }

  /** Requests of one buyer's page, told by its token. */
  seenWith(token) {
    return this.seen.filter((request) => request.headers.authorization === `Bearer ${token}`);
  }

  /**
   * Breaks requests that carry `token` and whose method and path match, `times` often (for ever by default). Tied to a
   * token so that scenarios can share a gateway.
   */
  break(token, method, path, fault, { times = Infinity } = {}) {
    this.#rules.push({ token, method, path, fault, left: times });
  }

  heal(token) {
    this.#rules = this.#rules.filter((rule) => rule.token !== token);
  }

  async #handle(request, response) {
    const path = request.url.split('?')[0];
    const body = await readBody(request);
    const wanted = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (request.method !== 'OPTIONS') {
      this.seen.push({ method: request.method, path, headers: request.headers, body: body.toString('utf8') });
    }
    const rule = this.#rules.find(
      (r) => r.left > 0 && r.token === wanted && r.method === request.method && r.path === path,
    );
    if (!rule) return this.#forward(request, body, response);
    rule.left -= 1;
    return rule.fault({ request, response, forward: () => this.#forward(request, body, response), fetch: () => this.#fetch(request, body) });
  }

  #fetch(request, body) {
    return new Promise((resolve, reject) => {
      const onward = httpRequest(
        {
          host: this.#target.hostname,
          port: this.#target.port,
          method: request.method,
          path: request.url,
          headers: { ...request.headers, host: this.#target.host },
        },
        async (answer) => resolve({ status: answer.statusCode, headers: answer.headers, body: await readBody(answer) }),
      );
      onward.on('error', reject);
      onward.end(body);
    });
  }

  async #forward(request, body, response) {
    let answer;
    try {
      answer = await this.#fetch(request, body);
    } catch {
      return response.destroy();
    }
    const { 'transfer-encoding': _, connection: __, ...headers } = answer.headers;
    return response.writeHead(answer.status, headers).end(answer.body);
  }
}

const cors = (request) => ({ 'access-control-allow-origin': request.headers.origin ?? '*', vary: 'origin' });

/** What can go wrong on the way to the proxy. Each entry makes a fault for `Gateway.break`. */
export const FAULTS = {
  status: (status, code) => ({ request, response }) =>
    response
      .writeHead(status, { ...cors(request), 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ status, code, title: 'made by the test' })),
  emptyStatus: (status) => ({ request, response }) => response.writeHead(status, cors(request)).end(),
  html: (status = 200) => ({ request, response }) =>
    response
      .writeHead(status, { ...cors(request), 'content-type': 'text/html' })
      .end('<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1><script>window.pwned = true</script>'),
  /** The request is carried out, and somebody in between answers in the proxy's place: a firewall, a sign-in page. */
  htmlAfter: (status) => async (exchange) => {
    await exchange.fetch();
    FAULTS.html(status)(exchange);
  },
  /** As a load balancer answers: without CORS headers, so that the page may not even read it. */
  htmlWithoutCors: (status) => ({ response }) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'),
  json: (value) => ({ request, response }) =>
    response.writeHead(200, { ...cors(request), 'content-type': 'application/json' }).end(JSON.stringify(value)),
  truncatedJson: () => async ({ request, response, fetch }) => {
    const { body } = await fetch();
    response
      .writeHead(200, { ...cors(request), 'content-type': 'application/json' })
      .end(body.subarray(0, Math.floor(body.length / 2)));
  },
  huge: () => ({ request, response }) =>
    response
      .writeHead(200, { ...cors(request), 'content-type': 'application/json' })
      .end(`{"eligible":true,"padding":"${'x'.repeat(10 * 1024 * 1024)}"}`),
  reset: () => ({ response }) => response.destroy(),
  /** The request is carried out; its answer is lost. */
  resetAfter: () => async ({ response, fetch }) => {
    await fetch();
    response.destroy();
  },
  /** The same after the first byte of the answer: before it, Chromium itself sends a request again. */
  cutAfter: () => async ({ request, response, fetch }) => {
    await fetch();
    response.writeHead(200, { ...cors(request), 'content-type': 'application/json' }).write('{', () => response.destroy());
  },
  /** Nothing comes, until the other side gives up. */
  silence: () => () => {},
  /** The true answer, but only after `ms`. */
  late: (ms) => async ({ response, forward }) => {
    let gone = false;
    response.on('close', () => {
      gone = true;
    });
    await new Promise((done) => setTimeout(done, ms).unref());
    if (!gone) await forward();
  },
  /** A byte a second. */
  drip: () => async ({ request, response, fetch }) => {
    const { body } = await fetch();
    response.writeHead(200, { ...cors(request), 'content-type': 'application/json' });
    let at = 0;
    const timer = setInterval(() => {
      if (at >= body.length || response.destroyed) clearInterval(timer);
      else response.write(body.subarray(at, (at += 1)));
    }, 1000);
    timer.unref();
  },
};
