// The simulator's control plane in verbs: buyers, purchases, faults, prices, and the ledger that the scenarios assert on.

import assert from 'node:assert/strict';
import { call, must } from './http.mjs';
import { CARDS, EXPIRY } from './cards.mjs';
import { until } from './until.mjs';

let buyers = 0;

export class Sim {
  constructor(url) {
    this.url = url;
  }

  /** A buyer nobody has seen before, with the cards given saved on file. */
  async buyer({ cards = [CARDS.good], country = 'US' } = {}) {
    buyers += 1;
    return must('POST', `${this.url}/_sim/customers`, {
      body: {
        email: `buyer-${process.pid}-${buyers}@example.test`,
        name: `Buyer ${buyers}`,
        payment_methods: cards.map((card) => ({ number: card.number, ...EXPIRY, ...card.as })),
        billing: { country, zipcode: '94107' },
      },
    });
  }

  /** A one-time purchase that this buyer has made, as if paid on the hosted page. */
  purchase(buyer, productId, more = {}) {
    return must('POST', `${this.url}/_sim/payments`, {
      body: { customer_id: buyer.customer_id, product_id: productId, ...more },
    });
  }

  /** A running subscription of this buyer. */
  subscription(buyer, productId, more = {}) {
    return must('POST', `${this.url}/_sim/subscriptions`, {
      body: { customer_id: buyer.customer_id, product_id: productId, ...more },
    });
  }

  /** A subscription of this buyer that is charged on demand only, begun as a merchant's server begins it. */
  async onDemand(buyer, productId, apiKey) {
    const headers = { authorization: `Bearer ${apiKey}` };
    const methods = await must('GET', `${this.url}/customers/${buyer.customer_id}/payment-methods`, { headers });
    await must('POST', `${this.url}/checkouts`, {
      headers,
      body: {
        product_cart: [{ product_id: productId, quantity: 1 }],
        customer: { customer_id: buyer.customer_id },
        billing_address: { street: '1 Main Street', city: 'San Francisco', state: 'CA', country: 'US', zipcode: '94107' },
        payment_method_id: methods.items[0].payment_method_id,
        confirm: true,
        subscription_data: { on_demand: { mandate_only: false } },
      },
    });
    const { items } = await must('GET', `${this.url}/subscriptions?customer_id=${buyer.customer_id}`, { headers });
    return items[0];
  }

  /** From now on Dodo is made to tell something else of this subscription: states that the simulator has none in. */
  async tells(subscription, fields, apiKey) {
    const body = { ...(await this.subscriptionNow(subscription.subscription_id, apiKey)), ...fields };
    await this.fault({ method: 'GET', path: `/subscriptions/${subscription.subscription_id}`, kind: 'status_200', body });
  }

  /** Changes a product's price, in minor units. */
  setPrice(productId, price) {
    return must('PATCH', `${this.url}/_sim/products/${productId}`, { body: { price } });
  }

  fault(fault) {
    return must('POST', `${this.url}/_sim/faults`, { body: fault });
  }

  /** Turns the simulator's switches, by the names that GET /_sim/policy lists. */
  policy(switches) {
    return must('POST', `${this.url}/_sim/policy`, { body: switches });
  }

  webhookPolicy(policy) {
    return must('POST', `${this.url}/_sim/webhooks/policy`, { body: policy });
  }

  flushWebhooks() {
    return must('POST', `${this.url}/_sim/webhooks/flush`, { body: {} });
  }

  /** Ends a payment that waits for the buyer's bank. */
  resolve(paymentId, outcome) {
    return must('POST', `${this.url}/_sim/payments/${paymentId}/resolve`, { body: outcome });
  }

  ledger() {
    return must('GET', `${this.url}/_sim/ledger`);
  }

  /** The simulator's own record of one subscription, read with the merchant's key as a merchant would. */
  async subscriptionNow(subscriptionId, apiKey) {
    return must('GET', `${this.url}/subscriptions/${subscriptionId}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
  }

  /** Changes a subscription with the merchant's key, as a merchant's dashboard would. */
  updateSubscription(subscriptionId, change, apiKey) {
    return must('PATCH', `${this.url}/subscriptions/${subscriptionId}`, {
      headers: { authorization: `Bearer ${apiKey}` },
      body: change,
    });
  }

  /** Changes the plan with the merchant's key, beside the product's proxy. Answers `{status, body}`. */
  changePlan(subscriptionId, change, apiKey) {
    return call('POST', `${this.url}/subscriptions/${subscriptionId}/change-plan`, {
      headers: { authorization: `Bearer ${apiKey}` },
      body: { quantity: 1, proration_billing_mode: 'difference_immediately', on_payment_failure: 'prevent_change', ...change },
    });
  }

  /** What the buyer has in their wallet, in US cents. */
  async credit(buyer, apiKey) {
    const { total_balance_usd: balance } = await must('GET', `${this.url}/customers/${buyer.customer_id}/wallets`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    return balance;
  }

  /** One payment, read with the merchant's key. */
  payment(paymentId, apiKey) {
    return must('GET', `${this.url}/payments/${paymentId}`, { headers: { authorization: `Bearer ${apiKey}` } });
  }

  /** The payments of one buyer that nobody has settled yet, read with the merchant's key. */
  async waitingPayments(buyer, apiKey) {
    const { items } = await must('GET', `${this.url}/payments?customer_id=${buyer.customer_id}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    return items.filter((payment) => ['requires_customer_action', 'processing'].includes(payment.status));
  }

  /** Charges of one buyer, optionally only those from one source ("one_click", "plan_change", "hosted"). */
  async charges(buyer, { source, status } = {}) {
    const { charges } = await this.ledger();
    return charges.filter(
      (charge) =>
        charge.customer_id === buyer.customer_id &&
        (source === undefined || charge.source === source) &&
        (status === undefined || charge.status === status),
    );
  }

  /** Waits until the ledger holds exactly these succeeded amounts for the buyer, in any order, from one source. */
  async mustHaveCharged(buyer, source, amounts) {
    const sorted = (list) => [...list].sort((a, b) => a - b);
    const read = async () => (await this.charges(buyer, { source, status: 'succeeded' })).map((c) => c.amount);
    await until(
      `${source} charges ${JSON.stringify(amounts)}`,
      async () => (await read()).length >= amounts.length,
    );
    assert.deepEqual(sorted(await read()), sorted(amounts), `${source} charges in the ledger`);
  }

  /** Every request that the simulator received as Dodo, by method and path. */
  async requests() {
    const { requests } = await this.ledger();
    return requests.map(({ method, path }) => `${method} ${path}`);
  }

  /** How many requests that can move money were received: one-click checkouts and plan changes, for one buyer. */
  async chargingPosts(buyer) {
    const { posts } = await this.ledger();
    return posts.filter((post) => {
      if (post.method !== 'POST') return false;
      const body = typeof post.body === 'string' ? safeJson(post.body) : post.body;
      if (post.path === '/checkouts') {
        return body?.confirm === true && body?.customer?.customer_id === buyer.customer_id;
      }
      return /^\/subscriptions\/[^/]+\/change-plan$/.test(post.path) && post.path.includes(buyer.subscription_id ?? '\n');
    });
  }
}

function safeJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
