import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitPlans } from '../harness/visits.mjs';

scenario('h. downgrade: the credit is shown before and after, and nothing is charged', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, subscription, page, plans, address } = await visitPlans(world, stack, { product: 'prod_pro_plan' });
  await page.goto(address);
  await plans.shown();
  await expectText(plans.current, 'Pro');
  await world.shot(page, '1-comparison');
  await plans.preview('Basic');
  await plans.dialogShows('Added to your credit', money(5000));
  await expectText(plans.confirmButton, 'nothing to pay now');
  await world.shot(page, '2-preview');

  await plans.confirm();
  await plans.receiptShows(money(5000));
  await world.shot(page, '3-receipt');
  await until('the new plan', async () =>
    (await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).product_id === 'prod_basic_plan');
  const collected = (await sim.charges(buyer, { source: 'plan_change', status: 'succeeded' })).filter((c) => c.amount > 0);
  assert.deepEqual(collected, [], 'nothing was collected');
  assert.equal((await sim.chargingPosts(buyer)).length, 1, 'one change-plan request');
});

scenario('h. downgrade at the next billing date: nothing charged, booked, and taken back', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, subscription, page, plans, address } = await visitPlans(world, stack, { product: 'prod_pro_plan' });
  const now = () => sim.subscriptionNow(subscription.subscription_id, stack.apiKey);
  await page.goto(address);
  await plans.shown();
  await plans.preview('Basic');
  await plans.dialog.getByRole('radio', { name: 'On the next billing date' }).check();
  await expectText(plans.confirmButton, 'Book the change');
  await plans.confirm();
  await plans.dialogShows('Your change is booked');
  await world.shot(page, '1-booked', { fullPage: false });
  assert.equal((await now()).product_id, 'prod_pro_plan', 'the plan is still the old one');
  assert.equal((await now()).scheduled_change.product_id, 'prod_basic_plan');

  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, /Your plan changes to Basic on/);
  await world.shot(page, '2-scheduled');
  await plans.element.getByRole('button', { name: 'Keep my current plan' }).click();
  await expectText(plans.element, 'You keep your current plan');
  assert.equal((await now()).scheduled_change, null);
  assert.deepEqual(await sim.charges(buyer, { source: 'plan_change', status: 'succeeded' }), []);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});
