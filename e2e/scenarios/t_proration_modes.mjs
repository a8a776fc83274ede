import assert from 'node:assert/strict';
import { billedBy } from '../harness/amend.mjs';
import { expectText } from '../harness/expect.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitPlans } from '../harness/visits.mjs';

// Every way in which Dodo bills a change of plan, fifteen days into a period of thirty, in both generations of its
// arithmetic. The amounts are Dodo's worked examples, written down; nothing here computes any.

const DAY_MS = 86_400_000;

/** $30 to $80: what each line says, what is collected, and in how many days the plan renews. */
const UP = {
  rest: { lines: ['Pro, rest of this period $40.00', 'Unused time on Basic −$15.00', 'Tax $0.00', 'To pay now $25.00'], charged: 2500, says: '$25.00', renewsIn: 15 },
  newPeriod: { lines: ['Pro $80.00', 'Unused time on Basic −$15.00', 'Tax $0.00', 'To pay now $65.00'], charged: 6500, says: '$65.00', renewsIn: 30 },
  difference: { lines: ['Pro $80.00', 'Credit for Basic −$30.00', 'Tax $0.00', 'To pay now $50.00'], charged: 5000, says: '$50.00', renewsIn: 15 },
  full: { lines: ['Pro $80.00', 'Tax $0.00', 'To pay now $80.00'], charged: 8000, says: '$80.00', renewsIn: 30 },
  free: { lines: ['To pay now $0.00'], charged: 0, renewsIn: 15 },
};

/** $80 to $30: what is not used up goes into the wallet. */
const DOWN = {
  rest: { lines: ['Basic, rest of this period $15.00', 'Unused time on Pro −$40.00', 'Tax $0.00', 'Added to your credit $25.00', 'To pay now $0.00'], credited: 2500, gives: '$25.00', renewsIn: 15 },
  newPeriod: { lines: ['Basic $30.00', 'Unused time on Pro −$40.00', 'Tax $0.00', 'Added to your credit $10.00', 'To pay now $0.00'], credited: 1000, gives: '$10.00', renewsIn: 30 },
  difference: { lines: ['Basic $30.00', 'Credit for Pro −$80.00', 'Tax $0.00', 'Added to your credit $50.00', 'To pay now $0.00'], credited: 5000, gives: '$50.00', renewsIn: 15 },
  full: { lines: ['Basic $30.00', 'Tax $0.00', 'To pay now $30.00'], charged: 3000, says: '$30.00', renewsIn: 30 },
  free: { lines: ['To pay now $0.00'], charged: 0, renewsIn: 15 },
};

const MODES = {
  prorated_immediately: { classic: [UP.rest, DOWN.rest], current: [UP.newPeriod, DOWN.newPeriod] },
  difference_immediately: {
    classic: [UP.difference, DOWN.difference],
    current: [{ ...UP.difference, renewsIn: 30 }, { ...DOWN.difference, renewsIn: 30 }],
  },
  full_immediately: { classic: [UP.full, DOWN.full], current: [UP.full, DOWN.full] },
  do_not_bill: { classic: [UP.free, DOWN.free], current: [UP.free, DOWN.free] },
  prorated_immediately_keep_cycle: { classic: [UP.rest, DOWN.rest], current: [UP.rest, DOWN.rest] },
};

const PLANS = {
  Basic: { id: 'prod_basic_plan', price: 3000, per: '$30.00', period: 'per month' },
  Pro: { id: 'prod_pro_plan', price: 8000, per: '$80.00', period: 'per month' },
  'Pro (yearly)': { id: 'prod_pro_yearly', price: 80000, per: '$800.00', period: 'per year' },
};

const day = (at) => new Intl.DateTimeFormat('en-US', { dateStyle: 'long' }).format(new Date(at));
const daysUntil = (at) => Math.round((new Date(at) - Date.now()) / DAY_MS);

/** A subscriber some days into their period of thirty looks at their plans. */
async function subscriber(world, stack, from, { used = 15, ...more } = {}) {
  const visit = await visitPlans(world, stack, { product: PLANS[from].id, subscription: { started_days_ago: used }, ...more });
  const now = () => visit.sim.subscriptionNow(visit.subscription.subscription_id, stack.apiKey);
  assert.equal(daysUntil((await now()).next_billing_date), 30 - used);
  await visit.page.goto(visit.address);
  await visit.plans.shown();
  return { ...visit, now };
}

/** What is shown is what the button says, is what is collected, is what the receipt says; and so is what comes next. */
async function change(world, stack, { mode, generation, from, to, expected, ...more }) {
  const { lines, charged = 0, says, credited = 0, gives, renewsIn } = expected;
  const { sim, buyer, page, plans, address, now } = await subscriber(world, stack, from, more);
  await plans.preview(to);
  assert.deepEqual(await plans.quoteRows(), lines);
  assert.equal(await plans.confirmSays(), says ? `Change plan – pay ${says}` : 'Change plan – nothing to pay now');
  await plans.dialogShows('The change takes effect at once.', `So far ${PLANS[from].per} ${PLANS[from].period}.`);
  const next = /Then (.+?) plus tax (.+?), next on (.+?), until you cancel\./.exec(await plans.dialog.innerText());
  assert.deepEqual(next?.slice(1, 3), [PLANS[to].per, PLANS[to].period]);
  await world.shot(page, `${generation}-${to}-1-review`, { fullPage: false });
  assert.deepEqual(await sim.charges(buyer, { source: 'plan_change' }), [], 'nothing is charged by looking');

  await plans.confirm();
  const receipt = await plans.receiptRows();
  assert.ok(receipt.includes(`Paid ${says ?? '$0.00'}`), receipt.join('; '));
  assert.deepEqual(receipt.filter((row) => /credit/.test(row)), gives ? [`Added to your credit ${gives}`] : []);
  await world.shot(page, `${generation}-${to}-2-receipt`, { fullPage: false });

  await sim.mustHaveCharged(buyer, 'plan_change', charged ? [charged] : []);
  assert.equal(await sim.credit(buyer, stack.apiKey), credited);
  const posts = await sim.chargingPosts(buyer);
  assert.deepEqual(posts.map((post) => post.body.proration_billing_mode), [mode], 'one request, billed as the rules say');
  const after = await now();
  assert.equal(after.product_id, PLANS[to].id);
  assert.equal(after.recurring_pre_tax_amount, PLANS[to].price);
  assert.equal(daysUntil(after.next_billing_date), renewsIn);
  assert.equal(next[3], day(after.next_billing_date), 'the renewal that was shown is the one that comes');
  await plans.dialogShows(`Then ${PLANS[to].per} plus tax ${PLANS[to].period}, next on ${day(after.next_billing_date)}`);

  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, `You have ${to}: ${PLANS[to].per} ${PLANS[to].period}, next payment on ${day(after.next_billing_date)}.`);
}

/** However changes are billed at once: booked for the billing date nothing is charged, and it can be taken back. */
async function bookAndTakeBack(world, stack, { from, to }) {
  const { sim, buyer, page, plans, address, now } = await subscriber(world, stack, from);
  const renewal = day((await now()).next_billing_date);
  await plans.preview(to);
  await plans.when('On the next billing date');
  await expectText(plans.confirmButton, 'Book the change');
  assert.deepEqual(await plans.quoteRows(), ['To pay now $0.00']);
  assert.equal(await plans.confirmSays(), 'Book the change – nothing to pay now');
  await plans.dialogShows(`The change takes effect on ${renewal}.`, `Then ${PLANS[to].per} plus tax ${PLANS[to].period}, next on ${renewal}`);
  await world.shot(page, `book-${to}-1-review`, { fullPage: false });
  await plans.confirm();
  await plans.dialogShows('Your change is booked');
  const booked = await now();
  assert.equal(booked.product_id, PLANS[from].id);
  assert.equal(booked.scheduled_change.product_id, PLANS[to].id);
  assert.equal(day(booked.scheduled_change.effective_at), renewal);
  const [post, ...others] = await sim.chargingPosts(buyer);
  assert.equal(others.length, 0);
  assert.deepEqual([post.body.effective_at, post.body.proration_billing_mode], ['next_billing_date', 'full_immediately']);

  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, `Your plan changes to ${to} on ${renewal}.`);
  assert.ok(await plans.changeButton(to).isDisabled(), 'not booked twice');
  await world.shot(page, `book-${to}-2-booked`);
  await plans.element.getByRole('button', { name: 'Keep my current plan' }).click();
  await expectText(plans.element, 'You keep your current plan');
  await until('the page to offer the change again', () => plans.changeButton(to).isEnabled());
  const kept = await now();
  assert.deepEqual([kept.product_id, kept.scheduled_change, day(kept.next_billing_date)], [PLANS[from].id, null, renewal]);
  assert.deepEqual(await sim.charges(buyer, { source: 'plan_change' }), []);
  assert.equal(await sim.credit(buyer, stack.apiKey), 0);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
}

for (const [mode, generations] of Object.entries(MODES)) {
  scenario(`t. ${mode}: shown, said on the button, collected and renewed alike, up and down`, { timeout: 150_000 }, async (world) => {
    const stack = await stackOf(world, mode);
    for (const [generation, [up, down]] of Object.entries(generations)) {
      await stack.sim.policy({ proration_engine: generation });
      await change(world, stack, { mode, generation, from: 'Basic', to: 'Pro', expected: up });
      await change(world, stack, { mode, generation, from: 'Pro', to: 'Basic', expected: down });
    }
    await bookAndTakeBack(world, stack, { from: 'Basic', to: 'Pro' });
    await bookAndTakeBack(world, stack, { from: 'Pro', to: 'Basic' });
  });
}

/** A stack with periods of thirty days. */
async function stackOf(world, mode, switches = {}) {
  const stack = await world.ownStack({ amendRules: billedBy(mode) });
  await stack.sim.policy({ month_step: 'thirty_days', ...switches });
  return stack;
}

scenario('t. odd days: cents are rounded as Dodo rounds them, and a smaller plan may cost something now', async (world) => {
  const keep = 'prorated_immediately_keep_cycle';
  await change(world, await stackOf(world, keep), {
    mode: keep, generation: 'classic', from: 'Basic', to: 'Pro', used: 20,
    expected: { lines: ['Pro, rest of this period $26.67', 'Unused time on Basic −$10.00', 'Tax $0.00', 'To pay now $16.67'], charged: 1667, says: '$16.67', renewsIn: 10 },
  });
  const mode = 'prorated_immediately';
  await change(world, await stackOf(world, mode, { proration_engine: 'current' }), {
    mode, generation: 'current', from: 'Pro', to: 'Basic', used: 29,
    expected: { lines: ['Basic $30.00', 'Unused time on Pro −$2.67', 'Tax $0.00', 'To pay now $27.33'], charged: 2733, says: '$27.33', renewsIn: 30 },
  });
});

scenario('t. tax is a line of its own, and is in what is paid', async (world) => {
  const mode = 'prorated_immediately';
  await change(world, await stackOf(world, mode), {
    mode, generation: 'classic', from: 'Basic', to: 'Pro', country: 'DE',
    expected: { lines: ['Pro, rest of this period $40.00', 'Unused time on Basic −$15.00', 'Tax $4.75', 'To pay now $29.75'], charged: 2975, says: '$29.75', renewsIn: 15 },
  });
});

scenario('t. where Dodo lists only the new plan, the amount due is still explained, shown and charged', async (world) => {
  const mode = 'prorated_immediately';
  const stack = await stackOf(world, mode, { preview_lines: 'new_plan_only', summary_total: 'pre_credit' });
  const lines = ['Pro, rest of this period $25.00', 'Tax $0.00', 'To pay now $25.00'];
  await change(world, stack, { mode, generation: 'classic', from: 'Basic', to: 'Pro', expected: { ...UP.rest, lines } });
});

scenario('t. credit of an earlier change pays a part of the next, to the cent', async (world) => {
  const stack = await stackOf(world, 'difference_immediately');
  const { sim, buyer, page, plans, address } = await subscriber(world, stack, 'Pro');
  await plans.preview('Basic');
  await plans.confirm();
  await plans.receiptShows('$50.00');
  assert.equal(await sim.credit(buyer, stack.apiKey), 5000);

  await page.goto(address);
  await plans.shown();
  await plans.preview('Max');
  assert.deepEqual(await plans.quoteRows(), ['Max $200.00', 'Credit for Basic −$30.00', 'Tax $0.00', 'Your credit −$50.00', 'To pay now $120.00']);
  assert.equal(await plans.confirmSays(), 'Change plan – pay $120.00');
  await world.shot(page, '1-review', { fullPage: false });
  await plans.confirm();
  const receipt = await plans.receiptRows();
  assert.ok(receipt.includes('Paid $120.00') && receipt.includes('Your credit −$50.00'), receipt.join('; '));
  await sim.mustHaveCharged(buyer, 'plan_change', [12000]);
  assert.equal(await sim.credit(buyer, stack.apiKey), 0);
});

scenario('t. to a year: bought whole from today, less what is left of the month', async (world) => {
  const mode = 'prorated_immediately';
  const inAYear = new Date();
  inAYear.setUTCFullYear(inAYear.getUTCFullYear() + 1);
  await change(world, await stackOf(world, mode), {
    mode, generation: 'classic', from: 'Pro', to: 'Pro (yearly)',
    expected: { lines: ['Pro (yearly) $800.00', 'Unused time on Pro −$40.00', 'Tax $0.00', 'To pay now $760.00'], charged: 76000, says: '$760.00', renewsIn: daysUntil(inAYear) },
  });
});
