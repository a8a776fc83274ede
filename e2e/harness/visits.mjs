// The openings that many scenarios share: a buyer with a purchase or a subscription stands before the widget.

import { Offer } from './offer.mjs';
import { Plans } from './plans.mjs';
import { until } from './until.mjs';

/**
 * A new buyer who has just bought `product` opens the merchant's page with the offer on it. `through` names who answers
 * the widget: the proxy itself, or the gateway that can break its answers.
 */
export async function visitOffer(world, stack, { product = 'prod_starter_course', cards, through = stack.proxy, profile, page, ...more } = {}) {
  const { sim, proxy, pages } = stack;
  const buyer = await sim.buyer(cards ? { cards } : {});
  const purchase = await sim.purchase(buyer, product);
  const token = await proxy.session(buyer, { payment_id: purchase.payment_id });
  const address = pages.offer(proxy, token, { endpoint: `${through.url}/v1/upsell`, ...more });
  const opened = page ?? (await (profile ?? (await world.profile())).page());
  return { sim, buyer, purchase, token, address, page: opened, offer: new Offer(opened) };
}

/**
 * A new subscriber of `product` opens the merchant's page with the plan comparison on it. `begin(customer)` begins another
 * subscription than an ordinary one.
 */
export async function visitPlans(world, stack, { product = 'prod_basic_plan', cards, country, through = stack.proxy, profile, page, subscription: wanted = {}, begin, usage, ...more } = {}) {
  const { sim, proxy, pages } = stack;
  const customer = await sim.buyer({ cards, country });
  const subscription = await (begin ? begin(customer) : sim.subscription(customer, product, wanted));
  const buyer = { ...customer, subscription_id: subscription.subscription_id };
  const token = await proxy.session(buyer, { purpose: 'plans', subscription_id: subscription.subscription_id, usage });
  const address = pages.plans(proxy, token, { endpoint: `${through.url}/v1/plans`, ...more });
  const opened = page ?? (await (profile ?? (await world.profile())).page());
  return { sim, buyer, subscription, token, address, page: opened, plans: new Plans(opened) };
}

/**
 * The merchant changes the subscription of a visit beside the product's proxy. Returns once the proxy has had the webhook:
 * a page that is opened after that shows the subscription as it is now.
 */
export async function changeElsewhere({ sim, proxy, apiKey }, visit, change) {
  await sim.updateSubscription(visit.subscription.subscription_id, change, apiKey);
  await proxyKnows(proxy, visit, change);
}

/** Waits until the proxy has had the webhook that tells it these fields of the subscription. */
export function proxyKnows(proxy, { buyer }, fields) {
  return until('the proxy to know of the change', async () => {
    const { current } = await proxy.plansFor(buyer);
    return Object.entries(fields).every(([field, value]) => current[field] === value);
  });
}
