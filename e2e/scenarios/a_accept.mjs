import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { Plans } from '../harness/plans.mjs';
import { scenario } from '../harness/runner.mjs';
import { events } from '../harness/world.mjs';

scenario('a. pays on the hosted page, sees the offer, accepts in one click, gets the receipt', async (world) => {
  const { shop, sim } = await world.stack();
  const profile = await world.profile();
  const page = await profile.page();
  await shop.buy(page, 'Starter course', CARDS.good);

  const offer = new Offer(page);
  await offer.shown();
  await world.shot(page, '1-offer');
  await expectText(offer.element, money(12900), '4242');
  await expectText(offer.acceptButton, money(12900));

  const before = new URL(page.url());
  await offer.accept();
  await offer.receiptShows(money(12900));
  await world.shot(page, '2-receipt');
  assert.equal(page.url(), before.href, 'one click, no other page');

  const charge = await onlyUpsellCharge(sim, page);
  assert.equal(charge.amount, 12900);
  assert.equal(charge.currency, 'USD');
  assert.equal(charge.source, 'one_click');
  assert.deepEqual(charge.product_ids, ['prod_complete_bundle']);
  assert.equal(charge.metadata.upsell_source, 'post_purchase');
  await offer.receiptShows(charge.payment_id);
  assert.deepEqual((await events(page)).filter((name) => /shown|accepted/.test(name)), ['upsell-shown', 'upsell-accepted']);

  // What was bought once is not offered again: the page says what was paid.
  await page.reload();
  await offer.receiptShows(money(12900), charge.payment_id);
  assert.equal((await sim.chargingPosts(charge)).length, 1);
});

scenario('a. subscribes in the shop, is offered the dearer plan, pays the difference in one click', async (world) => {
  const { shop, sim, apiKey } = await world.stack();
  const page = await world.page();
  await shop.buy(page, 'Basic plan', CARDS.good);
  const offer = new Offer(page);
  await offer.shown();
  await world.shot(page, '1-offer');
  await expectText(offer.figure, money(5000), 'per month');
  await expectText(offer.element, money(8000));
  await expectText(offer.acceptButton, money(5000));
  await offer.accept();
  await offer.receiptShows(money(5000));
  await world.shot(page, '2-receipt');

  const text = await offer.text();
  const charge = (await sim.ledger()).charges.find((c) => c.source === 'plan_change' && text.includes(c.payment_id));
  assert.ok(charge, 'the receipt names the payment of the plan change');
  assert.equal(charge.amount, 5000);
  await sim.mustHaveCharged(charge, 'plan_change', [5000]);
  assert.equal((await sim.subscriptionNow(charge.subscription_id, apiKey)).product_id, 'prod_pro_plan');

  await page.goto(`${shop.url}/account`);
  const plans = new Plans(page);
  await plans.shown();
  await expectText(plans.current, 'Pro');
});

/** The one charge that the offer on this page made, found by the receipt's reference. */
async function onlyUpsellCharge(sim, page) {
  const text = await new Offer(page).text();
  const { charges } = await sim.ledger();
  const named = charges.filter((charge) => text.includes(charge.payment_id));
  assert.equal(named.length, 1, 'the receipt names one payment of the ledger');
  const [charge] = named;
  const oneClick = charges.filter((c) => c.customer_id === charge.customer_id && c.source !== 'hosted');
  assert.deepEqual(oneClick.map((c) => c.payment_id), [charge.payment_id], 'the buyer was charged once more, not twice');
  return charge;
}
