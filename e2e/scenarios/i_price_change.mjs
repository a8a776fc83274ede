import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

scenario('i. the offer’s price rises after it was shown: nothing charged, both amounts, confirmed again', async (world) => {
  const stack = await world.ownStack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack);
  await page.goto(address);
  await offer.shown();
  await expectText(offer.acceptButton, money(12900));
  await sim.setPrice('prod_complete_bundle', 13900);

  await offer.accept();
  await expectText(offer.element, 'The amount has changed', money(12900), money(13900));
  await expectText(offer.acceptButton, money(13900));
  await world.shot(page, '1-changed');
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click' }), [], 'nothing was charged');
  assert.equal((await sim.chargingPosts(buyer)).length, 0, 'nothing was even tried');

  await offer.accept();
  await offer.receiptShows(money(13900));
  await world.shot(page, '2-receipt');
  await sim.mustHaveCharged(buyer, 'one_click', [13900]);
});

scenario('i. the offer’s price falls after it was shown: never charged more than shown', async (world) => {
  const stack = await world.ownStack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack);
  await page.goto(address);
  await offer.shown();
  await sim.setPrice('prod_complete_bundle', 9900);
  await offer.accept();
  await offer.receiptShows(money(9900));
  await sim.mustHaveCharged(buyer, 'one_click', [9900]);
});

scenario('i. the plan’s price rises between preview and confirm: nothing charged, both amounts, confirmed again', async (world) => {
  const stack = await world.ownStack();
  const { sim, buyer, subscription, page, plans, address } = await visitPlans(world, stack);
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  await expectText(plans.confirmButton, money(5000));
  await sim.setPrice('prod_pro_plan', 9000);

  await plans.confirm();
  await plans.dialogShows('The amount has changed', money(5000), money(6000));
  await expectText(plans.confirmButton, money(6000));
  await world.shot(page, '1-changed');
  assert.equal((await sim.chargingPosts(buyer)).length, 0, 'nothing was even tried');
  assert.equal((await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).product_id, 'prod_basic_plan');

  await plans.confirm();
  await plans.receiptShows(money(6000));
  await world.shot(page, '2-receipt');
  await sim.mustHaveCharged(buyer, 'plan_change', [6000]);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});
