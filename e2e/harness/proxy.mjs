// The proxy as the merchant's server and the browser see it.

import { call, must } from './http.mjs';

/** Headers of somebody who asks beside the pages: a token is good in one browser, and this is theirs. */
export const asking = (token) => ({
  authorization: `Bearer ${token}`,
  'upsell-browser': 'the-harness-keeps-this-and-has-no-storage',
});

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

  /** What the proxy would answer a page with this token, which no page may have used. */
  async offer(token) {
    return must('GET', `${this.url}/v1/upsell`, { headers: asking(token) });
  }

  /** The same with a token of its own: "what would this buyer be shown now, and why". */
  async offerFor(buyer, more) {
    return this.offer(await this.session(buyer, more));
  }

  /** What this subscriber would be shown now. */
  async plansFor(buyer) {
    const token = await this.session(buyer, { purpose: 'plans', subscription_id: buyer.subscription_id });
    return must('GET', `${this.url}/v1/plans`, { headers: asking(token) });
  }

  decline(token, offerId) {
    return call('POST', `${this.url}/v1/upsell/decline`, {
      headers: asking(token),
      body: { offer_id: offerId },
    });
  }
}
