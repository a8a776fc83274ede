import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitPlans } from '../harness/visits.mjs';

scenario('r. a plan on hold: says so, offers no change, and leads to where what is due is paid', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, subscription, page, plans, address } = await visitPlans(world, stack, {
    cards: [CARDS.failsLater],
    subscription: { started_days_ago: 31 },
  });
  assert.equal((await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).status, 'on_hold');
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, 'the plan is on hold');
  await expectText(plans.element, `A payment of ${money(3000)} for Basic did not go through`);
  assert.ok(await plans.changeButton('Pro').isDisabled(), 'a change that Dodo refuses is not offered');
  await world.shot(page, '1-on-hold');
  await plans.element.getByRole('button', { name: 'Update payment method' }).click();
  await page.waitForURL((url) => url.href.startsWith(sim.url));
  await world.shot(page, '2-payment-page');
  assert.equal((await sim.chargingPosts(buyer)).length, 0);
});

for (const [name, change, said] of [
  ['ends at the next billing date', { cancel_at_next_billing_date: true }, /Your plan ends on/],
  ['is cancelled', { status: 'cancelled' }, /Your plan has ended/],
]) {
  scenario(`r. a plan that ${name}: says so, and offers no change`, async (world) => {
    const stack = await world.stack();
    const { sim, subscription, page, plans, address } = await visitPlans(world, stack);
    await sim.updateSubscription(subscription.subscription_id, change, stack.apiKey);
    await page.goto(address);
    await plans.shown();
    await expectText(plans.element, said);
    assert.ok(await plans.changeButton('Pro').isDisabled());
    await world.shot(page, '1-page');
  });
}

scenario('r. a year and a month: both over a year, and from when the year is cheaper', async (world) => {
  const stack = await world.stack();
  const { page, plans, address } = await visitPlans(world, stack, { product: 'prod_pro_plan' });
  await page.goto(address);
  await plans.shown();
  await expectText(plans.plan('Pro (yearly)'), /\$160\.00 less in a year than today/);
  await expectText(plans.plan('Pro (yearly)'), 'Pays for itself after 10 months.');
  await world.shot(page, '1-comparison');
});
