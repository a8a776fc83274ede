// The proxy as the merchant's server and the browser see it.

import { call, must } from './http.mjs';

export class Proxy {
  constructor({ url, merchantKey }) {
    this.url = url;
    this.merchantKey = merchantKey;
  }

  get script() {
    return `${this.url}/upsell.js`;
  }

  /** Mints a session token for one buyer and one purpose, as the merchant's server does: one that knows a purchase only,
   * unless the session is of a kind for buyers who are signed in, or it is said that this one is. */
  async session(buyer, { purpose = 'offer', signed_in, ...more } = {}) {
    signed_in ??= purpose === 'plans' || (more.trigger ?? 'purchase') !== 'purchase';
    const { token } = await must('POST', `${this.url}/v1/sessions`, {
      headers: { authorization: `Bearer ${this.merchantKey}` },
      body: { customer_id: buyer.customer_id, purpose, signed_in, ...more },
    });
    return token;
  }

  /** What the proxy would answer a page with this token. */
  async offer(token) {
    return must('GET', `${this.url}/v1/upsell`, { headers: { authorization: `Bearer ${token}` } });
  }

  /** The same with a token of its own: "what would this buyer be shown now, and why". */
  async offerFor(buyer, more) {
    return this.offer(await this.session(buyer, more));
  }

  async plans(token) {
    return must('GET', `${this.url}/v1/plans`, { headers: { authorization: `Bearer ${token}` } });
  }

  decline(token, offerId) {
    return call('POST', `${this.url}/v1/upsell/decline`, {
      headers: { authorization: `Bearer ${token}` },
      body: { offer_id: offerId },
    });
  }
}
