// A merchant's own basic backend, as Dodo's guide on upsells teaches it: two routes, no quotes, no declines, no token.
// Written for these tests; it charges through the simulator with the merchant's key. As in the guide, what was accepted
// is offered no longer, and `success` says that a checkout session was made, not that it was paid.

import { must } from './http.mjs';
import { readBody, startServer } from './server.mjs';

export class GuideBackend {
  /** Accepts received, whatever became of them. */
  accepts = [];
  /** Headers of the questions for an offer. */
  asked = [];
  #answer = 'charge';
  #accepted = false;
  #hold = null;

  /**
   * `style` is how the backend spells: "camelCase" or "snake_case". `product` is what it offers, `productId` what it
   * charges; `buyer` whose saved card it charges. With `page`, the backend serves this page too, under `/shop`, with a
   * cookie.
   */
  static async start({ sim, apiKey, buyer, style, product, productId = product.id, page = '' }) {
    const backend = new GuideBackend();
    const methods = await must('GET', `${sim.url}/customers/${buyer.customer_id}/payment-methods`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    const method = methods.items[0].payment_method_id;
    const spell = (camel, snake) => (style === 'camelCase' ? camel : snake);
    const headers = {
      'access-control-allow-origin': '*',
      // As the guide's own: no other header passes the preflight.
      'access-control-allow-headers': 'content-type',
      'access-control-allow-methods': 'GET, POST',
      'content-type': 'application/json',
    };

    backend.server = await startServer(async (request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      const say = (status, body) => response.writeHead(status).end(JSON.stringify(body));
      if (request.method === 'OPTIONS') return response.writeHead(204).end();
      await readBody(request);
      const path = request.url.split('?')[0];
      if (page && path === '/shop') {
        response.setHeader('set-cookie', 'shop_session=s1; HttpOnly; SameSite=Lax; Path=/');
        response.setHeader('content-type', 'text/html; charset=utf-8');
        return response.end(page);
      }
      if (request.method === 'GET' && path === '/api/upsell') {
        backend.asked.push(request.headers);
        if (backend.#accepted) return say(200, { eligible: false });
        return say(200, { eligible: true, product, [spell('paymentMethodId', 'payment_method_id')]: method });
      }
      if (request.method === 'POST' && path === '/api/upsell/accept') {
        backend.accepts.push(request.headers);
        if (typeof backend.#answer === 'object') return say(backend.#answer.status, { error: backend.#answer.error });
        if (backend.#accepted) return say(400, { error: 'No eligible upsell' });
        backend.#accepted = true;
        const session = await must('POST', `${sim.url}/checkouts`, {
          headers: { authorization: `Bearer ${apiKey}` },
          body: {
            product_cart: [{ product_id: productId, quantity: 1 }],
            customer: { customer_id: buyer.customer_id },
            billing_address: { street: '1 Main Street', city: 'San Francisco', state: 'CA', country: 'US', zipcode: '94107' },
            payment_method_id: method,
            confirm: true,
            return_url: 'https://shop.example/upsell-success',
          },
        });
        await backend.#hold;
        if (backend.#answer === 'charge, then cut the line') {
          // After the first byte: before it, Chromium itself sends the request again when the connection was used before.
          response.writeHead(200).write('{', () => response.destroy());
          return undefined;
        }
        return say(200, { success: true, [spell('sessionId', 'session_id')]: session.session_id });
      }
      return response.writeHead(404, { 'content-type': 'text/html' }).end('Cannot serve that');
    });
    backend.endpoint = `${backend.server.url}/api/upsell`;
    return backend;
  }

  /** From now on accepts are answered with this status and error instead of a charge. */
  refuse(status, error) {
    this.#answer = { status, error };
  }

  /** From now on accepts are charged and their answers lost. */
  loseAnswers() {
    this.#answer = 'charge, then cut the line';
  }

  /** From now on accepts are charged and their answers held back until the function that is returned is called. */
  holdAnswers() {
    let release;
    this.#hold = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  stop() {
    return this.server.stop();
  }
}
