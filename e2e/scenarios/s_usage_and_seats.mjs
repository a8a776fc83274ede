import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitPlans } from '../harness/visits.mjs';

scenario('s. usage: how much of the limit is used, and which plan has more', async (world) => {
  const stack = await world.stack();
  const { page, plans, address } = await visitPlans(world, stack, { usage: [{ feature: 'downloads', used: 46 }] });
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, 'Downloads a month: you used 46 of 50 (92');
  await expectText(plans.plan('Pro'), 'Downloads a month: 500');
  await expectText(plans.plan('Pro'), 'Recommended');
  await expectText(plans.plan('Max'), 'Downloads a month: no limit');
  await world.shot(page, '1-near');
});

scenario('s. usage: a plan that fits is said to fit, and none is recommended', async (world) => {
  const stack = await world.stack();
  const { page, plans, address } = await visitPlans(world, stack, { usage: [{ feature: 'downloads', used: 7 }] });
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, 'Your plan fits what you use.');
  assert.equal(await plans.element.getByText('Recommended', { exact: true }).count(), 0);
  await world.shot(page, '1-fits');
});

scenario('s. usage: a smaller plan that is not enough says so', async (world) => {
  const stack = await world.stack();
  const { page, plans, address } = await visitPlans(world, stack, {
    product: 'prod_pro_plan',
    usage: [{ feature: 'downloads', used: 320 }],
  });
  await page.goto(address);
  await plans.shown();
  await expectText(plans.plan('Basic'), 'You use more than this plan has: Downloads a month');
  await plans.preview('Basic');
  await plans.dialogShows('Downloads a month: 50');
  await world.shot(page, '1-too-small', { fullPage: false });
});

scenario('s. seats: chosen on the same plan, priced exactly, charged once', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, subscription, page, plans, address } = await visitPlans(world, stack);
  await page.goto(address);
  await plans.shown();
  await plans.element.getByRole('button', { name: 'Change seats or add-ons' }).click();
  const seats = plans.dialog.getByRole('textbox', { name: 'Seats' });
  await seats.fill('3');
  await seats.press('Tab');
  await world.shot(page, '1-form', { fullPage: false });
  await plans.dialog.getByRole('button', { name: 'Show the exact amount' }).click();
  await expectText(plans.confirmButton, 'pay');
  const due = await plans.confirmButton.textContent();
  await plans.dialogShows('Seats and add-ons of Basic', 'So far', money(3000));
  await world.shot(page, '2-review', { fullPage: false });
  await plans.confirm();
  await plans.dialogShows('Your plan is changed');
  await until('three seats', async () => (await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).quantity === 3);
  const charges = await sim.charges(buyer, { source: 'plan_change', status: 'succeeded' });
  assert.equal(charges.length, 1);
  assert.ok(due.includes(money(charges[0].amount)), `${due} was shown, ${charges[0].amount} collected`);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});
