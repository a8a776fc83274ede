import assert from 'node:assert/strict';
import { monthly, withProducts } from '../harness/amend.mjs';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { payOnHostedPage } from '../harness/shop.mjs';
import { until } from '../harness/until.mjs';
import { changeElsewhere, visitPlans } from '../harness/visits.mjs';

/** No plan can be chosen, none was, and nothing was charged beyond what the plan itself cost. */
async function offersNoChange({ sim, buyer, plans }) {
  const buttons = await plans.element.getByRole('button', { name: /^Change/ }).all();
  assert.ok(buttons.length >= 3);
  for (const button of buttons) assert.ok(await button.isDisabled(), await button.innerText());
  assert.equal((await sim.chargingPosts(buyer)).filter((post) => post.path !== '/checkouts').length, 0);
  assert.deepEqual(await sim.charges(buyer, { source: 'plan_change' }), []);
}

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
    const visit = await visitPlans(world, stack);
    const { page, plans, address } = visit;
    await changeElsewhere(stack, visit, change);
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

// What Dodo refuses to change is not offered. `refused` is its answer when it is tried beside us.
const UNCHANGEABLE = [
  {
    state: 'is paused',
    begin: async (stack, customer) => {
      const subscription = await stack.sim.subscription(customer, 'prod_basic_plan');
      await stack.sim.updateSubscription(subscription.subscription_id, { status: 'paused' }, stack.apiKey);
      return subscription;
    },
    says: 'Basic is paused. It can be changed once it runs again.',
    refused: 'INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED',
  },
  {
    state: 'is charged on demand',
    begin: (stack, customer) => stack.sim.onDemand(customer, 'prod_basic_plan', stack.apiKey),
    says: 'Your plan cannot be changed at the moment.',
    refused: 'ON_DEMAND_PLAN_CHANGE_NOT_SUPPORTED',
  },
  {
    state: 'is billed by usage',
    catalogue: monthly('prod_metered', 'Metered', { type: 'usage_based_price', price: undefined, fixed_price: 1000 }),
    begin: (stack, customer) => stack.sim.subscription(customer, 'prod_metered'),
    says: 'Your plan cannot be changed at the moment.',
    refused: 'UNSUPPORTED_ACTION',
  },
  {
    state: 'has run out',
    catalogue: monthly('prod_one_month', 'One month', { subscription_period_count: 1, subscription_period_interval: 'Month' }),
    begin: (stack, customer) => stack.sim.subscription(customer, 'prod_one_month', { started_days_ago: 32 }),
    says: 'Your plan has ended.',
    refused: 'INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED',
  },
  ...[['pending', 'Your plan begins when its first payment is confirmed.'], ['failed', 'Your plan has not begun: its first payment did not go through.']].map(([status, says]) => ({
    state: status === 'failed' ? 'never began' : `is ${status}`,
    begin: async (stack, customer) => {
      const subscription = await stack.sim.subscription(customer, 'prod_basic_plan');
      await stack.sim.tells(subscription, { status }, stack.apiKey);
      return subscription;
    },
    says,
  })),
];

for (const { state, catalogue, begin, says, refused } of UNCHANGEABLE) {
  scenario(`r. a plan that ${state}: says so, and offers no change`, async (world) => {
    const stack = catalogue ? await world.ownStack({ amendFixtures: withProducts(catalogue) }) : await world.stack();
    const visit = await visitPlans(world, stack, { begin: (customer) => begin(stack, customer) });
    const { sim, page, plans, address, subscription } = visit;
    await page.goto(address);
    await plans.shown();
    await expectText(plans.element, says);
    await offersNoChange(visit);
    await world.shot(page, '1-page');
    if (!refused) return;
    const { body } = await sim.changePlan(subscription.subscription_id, { product_id: 'prod_pro_plan' }, stack.apiKey);
    assert.equal(body.code, refused, 'nor would Dodo change it');
  });
}

scenario('r. a plan that is past due: what is due is paid with another card, and then it can be changed', async (world) => {
  const stack = await world.ownStack();
  await stack.sim.policy({ renewal_failure: 'past_due' });
  const visit = await visitPlans(world, stack, { cards: [CARDS.failsLater], subscription: { started_days_ago: 31 } });
  const { sim, buyer, page, plans, address, subscription } = visit;
  const status = async () => (await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).status;
  assert.equal(await status(), 'past_due');
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, `A payment of ${money(3000)} for Basic is overdue. Update your payment method to pay it and keep the plan.`);
  await offersNoChange(visit);
  await world.shot(page, '1-past-due');

  await plans.element.getByRole('button', { name: 'Update payment method' }).click();
  await page.waitForURL(`${sim.url}/session/**`);
  await expectText(page.locator('#pay'), 'Pay USD 30.00');
  await payOnHostedPage(page, CARDS.mastercard);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  assert.equal(await status(), 'active');
  await sim.mustHaveCharged(buyer, 'dues', [3000]);
  await until('the proxy to know', async () => (await stack.proxy.plansFor(visit.buyer)).current.status === 'active');
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, `You have Basic: ${money(3000)} per month`, 'Charged to Mastercard ending in 4444');
  await world.shot(page, '2-active-again');
  await plans.preview('Pro');
  await plans.dialogShows(money(5000), 'Mastercard ending in 4444');
});

scenario('r. a trial: nothing is given back for it, what is shown is charged, and the plan renews a period from today', async (world) => {
  const trial = monthly('prod_trial_plan', 'Basic with a trial', { trial_period_days: 14 });
  const stack = await world.ownStack({ amendFixtures: withProducts(trial) });
  await stack.sim.policy({ month_step: 'thirty_days' });
  const { sim, buyer, page, plans, address, subscription } = await visitPlans(world, stack, {
    product: 'prod_trial_plan',
    subscription: { started_days_ago: 4 },
  });
  const now = () => sim.subscriptionNow(subscription.subscription_id, stack.apiKey);
  const day = (at) => new Intl.DateTimeFormat('en-US', { dateStyle: 'long' }).format(new Date(at));
  const daysUntil = (at) => Math.round((Date.parse(at) - Date.now()) / 86_400_000);
  const before = await now();
  assert.deepEqual([before.trial_period_days, daysUntil(before.next_billing_date)], [14, 10]);
  assert.deepEqual((await sim.charges(buyer)).map((charge) => charge.amount), [], 'nothing is paid so far');
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, `You are trying Basic with a trial until ${day(before.next_billing_date)}; after that it is ${money(3000)} per month.`);
  await world.shot(page, '1-page');

  await plans.preview('Pro');
  assert.deepEqual(await plans.quoteRows(), ['Pro $80.00', 'Tax $0.00', 'To pay now $80.00']);
  assert.equal(await plans.confirmSays(), 'Change plan – pay $80.00');
  await plans.dialogShows('Your trial ends with this change.');
  const renewal = /next on (.+?), until/.exec(await plans.dialog.innerText())[1];
  await world.shot(page, '2-review', { fullPage: false });
  await plans.confirm();
  await plans.receiptShows('$80.00');
  await sim.mustHaveCharged(buyer, 'plan_change', [8000]);
  const after = await now();
  assert.deepEqual([after.product_id, daysUntil(after.next_billing_date)], ['prod_pro_plan', 30]);
  assert.equal(renewal, day(after.next_billing_date), 'the renewal that was shown is the one that comes');
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});

for (const status of ['paused', 'cancelled']) {
  scenario(`r. a plan that is ${status}: no other card is asked for, since Dodo takes none`, async (world) => {
    const stack = await world.stack();
    const visit = await visitPlans(world, stack);
    const { page, plans, address } = visit;
    await changeElsewhere(stack, visit, { status });
    await page.goto(address);
    await plans.shown();
    await world.shot(page, '1-page');
    assert.equal(await plans.element.getByRole('button', { name: 'Use another card' }).count(), 0);
  });
}
