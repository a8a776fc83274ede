import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { payOnHostedPage } from '../harness/shop.mjs';
import { visitPlans } from '../harness/visits.mjs';

// Another card in the middle of a change: given on Dodo's page, shown, and the one that is charged.

const NEW = 'Mastercard ending in 4444';

/** A subscriber of Basic with the review of a change to Pro before them. */
async function reviewing(world, stack, cards) {
  const visit = await visitPlans(world, stack, { cards });
  await visit.page.goto(visit.address);
  await visit.plans.shown();
  await visit.plans.preview('Pro');
  await visit.plans.dialogShows(money(5000), `Charged to Visa ending in ${cards[0].last4}`);
  return { ...visit, now: () => visit.sim.subscriptionNow(visit.subscription.subscription_id, stack.apiKey) };
}

/** From the open dialog to Dodo's page. */
async function toTheCardPage({ sim, page, plans }) {
  await plans.dialog.getByRole('button', { name: 'Use another card' }).click();
  await page.waitForURL(`${sim.url}/session/**`);
  await expectText(page.locator('body'), 'Payment method');
}

/** Back on the merchant's page: the new card is shown, and confirming charges it, once. */
async function changeOnTheNewCard(world, stack, { sim, buyer, page, plans, address, now }) {
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, `Charged to ${NEW}`);
  await plans.preview('Pro');
  await plans.dialogShows(money(5000), `Charged to ${NEW}`);
  await world.shot(page, '3-new-card', { fullPage: false });
  assert.equal((await now()).product_id, 'prod_basic_plan', 'the old plan until then');
  await plans.confirm();
  assert.ok((await plans.receiptRows()).includes(`Card ${NEW}`));
  await plans.receiptShows(money(5000));
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
  const [charge] = await sim.charges(buyer, { source: 'plan_change', status: 'succeeded' });
  const payment = await sim.payment(charge.payment_id, stack.apiKey);
  assert.equal(payment.card_last_four, '4444', 'charged to the new method');
  assert.equal((await now()).product_id, 'prod_pro_plan');
  const collected = (await sim.charges(buyer, { status: 'succeeded' })).map((paid) => paid.amount).filter(Boolean);
  assert.deepEqual(collected, [3000, 5000], 'the plan as it was bought, and the change');
}

scenario('v. another card from the open review: given, shown, charged once', async (world) => {
  const stack = await world.stack();
  const visit = await reviewing(world, stack, [CARDS.good]);
  await toTheCardPage(visit);
  await world.shot(visit.page, '1-card-page');
  await payOnHostedPage(visit.page, CARDS.mastercard);
  await visit.page.waitForURL((url) => !url.href.startsWith(visit.sim.url));
  assert.equal((await visit.sim.chargingPosts(visit.buyer)).length, 0, 'a new card changes no plan');
  await changeOnTheNewCard(world, stack, visit);
  assert.equal((await visit.sim.chargingPosts(visit.buyer)).length, 1);
});

scenario('v. another card, back before any webhook: the new card is shown and charged all the same', async (world) => {
  const stack = await world.ownStack();
  const visit = await reviewing(world, stack, [CARDS.good]);
  await toTheCardPage(visit);
  await visit.sim.webhookPolicy({ paused: true });
  await payOnHostedPage(visit.page, CARDS.mastercard);
  await visit.page.waitForURL((url) => !url.href.startsWith(visit.sim.url));
  // A token minted for the page that the buyer returns to looks anew: no webhook is needed.
  const token = await stack.proxy.session(visit.buyer, { purpose: 'plans', subscription_id: visit.buyer.subscription_id });
  visit.address = stack.pages.plans(stack.proxy, token);
  await changeOnTheNewCard(world, stack, visit);
  assert.equal((await visit.sim.chargingPosts(visit.buyer)).length, 1);
});

scenario('v. another card after a refused one: the old plan until then, the second try succeeds, one payment in all', async (world) => {
  const stack = await world.stack();
  const visit = await reviewing(world, stack, [CARDS.failsLater]);
  const { sim, buyer, page, plans } = visit;
  await plans.confirm();
  await plans.dialogShows('Your plan was not changed', 'Nothing was charged.');
  assert.equal((await sim.chargingPosts(buyer))[0].body.on_payment_failure, 'prevent_change');
  await world.shot(page, '1-refused', { fullPage: false });
  await toTheCardPage(visit);

  await payOnHostedPage(page, CARDS.declined);
  await expectText(page.locator('body'), 'The card was declined. Try another card.');
  await payOnHostedPage(page, CARDS.mastercard);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  assert.equal((await sim.chargingPosts(buyer)).length, 1, 'nothing is tried again without the buyer');
  await changeOnTheNewCard(world, stack, visit);
  assert.equal((await sim.chargingPosts(buyer)).length, 2, 'two confirmations, two requests');
  assert.deepEqual((await sim.charges(buyer, { source: 'plan_change' })).map((c) => c.status), ['failed', 'succeeded']);
});

scenario('v. another card, thought better of: back in the browser the review works on with the old one', async (world) => {
  const stack = await world.stack();
  const visit = await reviewing(world, stack, [CARDS.good]);
  const { sim, buyer, page, plans } = visit;
  await toTheCardPage(visit);
  await page.goBack();
  await plans.shown();
  if (!(await plans.dialog.isVisible())) await plans.preview('Pro');
  await plans.dialogShows('Charged to Visa ending in 4242');
  await plans.confirm();
  await plans.receiptShows(money(5000), 'Visa ending in 4242');
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});

scenario('v. another card, back on the same page before any webhook: a card that is charged is shown before', async (world) => {
  const stack = await world.ownStack();
  const { sim, page, plans, address } = await reviewing(world, stack, [CARDS.good]);
  await plans.dialog.getByRole('button', { name: 'Use another card' }).click();
  await page.waitForURL(`${sim.url}/session/**`);
  await sim.webhookPolicy({ paused: true });
  await payOnHostedPage(page, CARDS.mastercard);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  await world.shot(page, '1-review', { fullPage: false });
  await plans.dialogShows(money(5000), `Charged to ${NEW}`);
});
