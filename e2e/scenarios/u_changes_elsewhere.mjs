import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { proxyKnows, visitPlans } from '../harness/visits.mjs';

// A plan that is also changed elsewhere while its page is open: in the seller's portal, by their server, by their support.

const ENDS = {
  succeeded: { answer: { status: 'succeeded' }, plan: 'Max', collected: [17000] },
  failed: { answer: { status: 'failed', error_code: 'DO_NOT_HONOR' }, plan: 'Basic', collected: [] },
};

/** A subscriber of Basic with the review of a change to Pro before them. */
async function reviewing(world, stack, options) {
  const visit = await visitPlans(world, stack, options);
  const id = visit.subscription.subscription_id;
  await visit.page.goto(visit.address);
  await visit.plans.shown();
  await visit.plans.preview('Pro');
  await visit.plans.dialogShows(money(5000));
  return {
    ...visit,
    now: () => visit.sim.subscriptionNow(id, stack.apiKey),
    /** With the merchant's key, beside us. */
    async elsewhere(change) {
      const { status, body } = await visit.sim.changePlan(id, change, stack.apiKey);
      assert.equal(status, 200, JSON.stringify(body));
    },
    /** The next change that is sent reaches Dodo late, so that another one can come before it. */
    delayed: () =>
      visit.sim.fault({ method: 'POST', path: `/subscriptions/${id}/change-plan`, kind: 'delay_before', delay_ms: 2500, times: 1 }),
  };
}

/** The product whose change was asked for, and what Dodo answered, of each request. */
async function asked({ sim, buyer }) {
  return (await sim.chargingPosts(buyer)).map((post) => [post.body.product_id, post.status_sent]);
}

/** What can be read and what was collected once the other change is decided, on a page that is opened anew. */
async function tells(world, stack, visit, { plan, collected }) {
  const { sim, buyer, page, plans, address, now } = visit;
  const name = { Max: 'prod_max_plan', Pro: 'prod_pro_plan', Basic: 'prod_basic_plan' };
  assert.equal((await now()).product_id, name[plan]);
  await proxyKnows(stack.proxy, visit, { product_id: name[plan] });
  await page.goto(address);
  await plans.shown();
  await expectText(plans.current, plan);
  assert.doesNotMatch(await plans.text(), /being confirmed|not possible|checking/);
  await sim.mustHaveCharged(buyer, 'plan_change', collected);
  await world.shot(page, '9-reloaded');
}

for (const [end, { answer, plan, collected }] of Object.entries(ENDS)) {
  scenario(`u. a change elsewhere waits for its payment, which has ${end}: ours is not sent, nothing is charged twice, the page tells the truth`, async (world) => {
    const stack = await world.stack();
    const visit = await reviewing(world, stack, { cards: [CARDS.takesTime] });
    const { sim, buyer, page, plans, address, elsewhere } = visit;
    await elsewhere({ product_id: 'prod_max_plan' });
    const [waiting, ...others] = await sim.waitingPayments(buyer, stack.apiKey);
    assert.equal(others.length, 0);

    await plans.confirm();
    await plans.dialogShows('Your plan was not changed', 'This is not possible at the moment.', 'Nothing was charged.');
    await world.shot(page, '1-not-possible', { fullPage: false });
    await plans.dialog.getByRole('button', { name: 'Back' }).click();
    await expectText(plans.current, 'Basic');

    // Nor when it is tried from a page that is opened meanwhile.
    await page.goto(address);
    await plans.shown();
    await expectText(plans.current, 'Basic');
    await plans.changeButton('Pro').click();
    await expectText(plans.element, 'This is not possible at the moment.');
    await world.shot(page, '2-on-the-page');
    assert.deepEqual(await asked(visit), [['prod_max_plan', 200]]);
    assert.deepEqual(await sim.charges(buyer, { source: 'plan_change' }), []);

    await sim.resolve(waiting.payment_id, answer);
    await until('the plan to be as it is', async () => (await stack.proxy.plansFor(visit.buyer)).current.name === plan);
    await tells(world, stack, visit, { plan, collected });
    if (end === 'succeeded') return;
    // What was in the way is gone: now it can be made.
    await plans.preview('Pro');
    await plans.dialogShows(money(5000));
  });
}

scenario('u. a change elsewhere waits for the buyer’s bank: ours is not sent, and goes through once that one is refused', async (world) => {
  const stack = await world.stack();
  const visit = await reviewing(world, stack, { cards: [CARDS.challenge, CARDS.good] });
  const { sim, buyer, page, plans, address, elsewhere } = visit;
  await elsewhere({ product_id: 'prod_max_plan' });
  const [waiting] = await sim.waitingPayments(buyer, stack.apiKey);
  assert.equal(waiting.status, 'requires_customer_action');
  await plans.confirm();
  await plans.dialogShows('Your plan was not changed', 'This is not possible at the moment.', 'Nothing was charged.');

  await sim.resolve(waiting.payment_id, { status: 'failed', error_code: 'AUTHENTICATION_FAILURE' });
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  await plans.confirm();
  await plans.dialogShows('Your bank wants you to confirm');
  const [ours, ...others] = await sim.waitingPayments(buyer, stack.apiKey);
  assert.equal(others.length, 0);
  await sim.resolve(ours.payment_id, { status: 'succeeded' });
  await plans.receiptShows(money(5000), ours.payment_id);
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
  assert.deepEqual(await asked(visit), [['prod_max_plan', 200], ['prod_pro_plan', 200]]);
});

scenario('u. a change elsewhere overtakes ours on the way and fails: one request each, nothing charged, the plan as it was', async (world) => {
  const stack = await world.stack();
  const visit = await reviewing(world, stack, { cards: [CARDS.takesTime] });
  const { sim, buyer, page, plans, elsewhere, delayed } = visit;
  await delayed();
  await plans.confirm();
  await until('our request', async () => (await asked(visit)).length === 1);
  await elsewhere({ product_id: 'prod_max_plan' });
  await until('Dodo’s refusal', async () => (await asked(visit)).some(([, status]) => status === 409));
  await plans.dialogShows('You can leave this page', 'you will not be charged twice');
  assert.doesNotMatch(await plans.text(), /fail|did not|Nothing was charged|is changed/i);
  await world.shot(page, '1-undecided', { fullPage: false });

  const [waiting] = await sim.waitingPayments(buyer, stack.apiKey);
  await sim.resolve(waiting.payment_id, { status: 'failed', error_code: 'DO_NOT_HONOR' });
  await sim.flushWebhooks();
  // Another's payment proves nothing about ours: it stays undecided until enough looks have found nothing.
  await plans.dialogShows('You can leave this page', 'you will not be charged twice');
  assert.deepEqual(await asked(visit), [['prod_pro_plan', 409], ['prod_max_plan', 200]], 'ours is not sent again');
  await sim.mustHaveCharged(buyer, 'plan_change', []);
  await page.goto(visit.address);
  await plans.shown();
  await expectText(plans.element, 'You have Basic', 'you will not be charged twice');
});

scenario('u. a change is booked elsewhere while the review is open: confirming does not overwrite it', async (world) => {
  const stack = await world.stack();
  const visit = await reviewing(world, stack);
  const { sim, buyer, page, plans, elsewhere, now } = visit;
  await elsewhere({ product_id: 'prod_max_plan', effective_at: 'next_billing_date', proration_billing_mode: 'full_immediately' });
  await plans.confirm();
  await plans.dialogShows('Your plan was not changed', 'This is not possible at the moment.', 'Nothing was charged.');
  await world.shot(page, '1-not-possible', { fullPage: false });
  await plans.dialog.getByRole('button', { name: 'Back' }).click();
  await expectText(plans.element, 'Your plan changes to Max on');
  await world.shot(page, '2-on-the-page');
  const after = await now();
  assert.deepEqual([after.product_id, after.scheduled_change.product_id], ['prod_basic_plan', 'prod_max_plan']);
  assert.deepEqual(await asked(visit), [['prod_max_plan', 200]], 'ours is not even sent');
  assert.deepEqual(await sim.charges(buyer, { source: 'plan_change' }), []);

  await page.goto(visit.address);
  await plans.shown();
  await expectText(plans.element, 'Your plan changes to Max on');
  assert.ok(await plans.changeButton('Pro').isDisabled());
  await plans.element.getByRole('button', { name: 'Keep my current plan' }).click();
  await expectText(plans.element, 'You keep your current plan');
  await until('the page to offer changes again', () => plans.changeButton('Pro').isEnabled());
  await plans.preview('Pro');
  await plans.confirm();
  await plans.receiptShows(money(5000));
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
});

scenario('u. a booking elsewhere overtakes ours on the way: it stands, and nothing is charged', async (world) => {
  const stack = await world.stack();
  const visit = await reviewing(world, stack);
  const { sim, buyer, page, plans, elsewhere, delayed, now } = visit;
  await delayed();
  await plans.confirm();
  await until('our request', async () => (await asked(visit)).length === 1);
  await elsewhere({ product_id: 'prod_max_plan', effective_at: 'next_billing_date', proration_billing_mode: 'full_immediately' });
  await until('Dodo’s refusal', async () => (await asked(visit)).some(([, status]) => status === 409));
  await plans.dialogShows('We are checking your payment', 'You can leave this page', 'you will not be charged twice');
  await world.shot(page, '1-undecided', { fullPage: false });
  await page.goto(visit.address);
  await plans.shown();
  await expectText(plans.element, 'You have Basic', 'Your plan changes to Max on', 'We are checking your payment');
  assert.doesNotMatch(await plans.text(), /fail|did not|is changed/i);
  assert.ok(await plans.changeButton('Pro').isDisabled());
  await world.shot(page, '2-reloaded');
  const after = await now();
  assert.deepEqual([after.product_id, after.scheduled_change.product_id], ['prod_basic_plan', 'prod_max_plan']);
  assert.deepEqual(await asked(visit), [['prod_pro_plan', 409], ['prod_max_plan', 200]], 'ours is not sent again');
  assert.deepEqual(await sim.charges(buyer, { source: 'plan_change' }), []);
});

for (const [what, change, amounts, rows, charged] of [
  ['to a larger plan', { product_id: 'prod_max_plan' }, ['$50.00', '$0.00'], ['Pro $80.00', 'Credit for Max −$200.00', 'Tax $0.00', 'Added to your credit $120.00', 'To pay now $0.00'], [17000]],
  ['to more seats', { product_id: 'prod_basic_plan', quantity: 3 }, ['$50.00', '$150.00'], ['Pro × 3 $240.00', 'Credit for Basic × 3 −$90.00', 'Tax $0.00', 'To pay now $150.00'], [6000, 15000]],
]) {
  scenario(`u. a change elsewhere ${what} is made while the review is open: ours is not sent at the old amount, and confirmed anew`, async (world) => {
    const stack = await world.stack();
    const visit = await reviewing(world, stack);
    const { sim, buyer, page, plans, elsewhere, now } = visit;
    await elsewhere(change);
    await plans.confirm();
    await plans.dialogShows('The amount has changed', 'Nothing was charged. Please check the new amount.', ...amounts);
    assert.deepEqual(await plans.quoteRows(), rows);
    await world.shot(page, '1-changed', { fullPage: false });
    assert.deepEqual(await asked(visit), [[change.product_id, 200]], 'ours is not sent');

    await plans.confirm();
    await plans.receiptRows();
    await sim.mustHaveCharged(buyer, 'plan_change', charged);
    const after = await now();
    assert.deepEqual([after.product_id, after.quantity], ['prod_pro_plan', change.quantity ?? 1]);
    assert.deepEqual(await asked(visit), [[change.product_id, 200], ['prod_pro_plan', 200]]);
  });
}

for (const [what, change, said] of [
  ['paused', { status: 'paused' }, 'Basic is paused. It can be changed once it runs again.'],
  ['cancelled', { status: 'cancelled' }, 'Your plan has ended.'],
  ['set to end', { cancel_at_next_billing_date: true }, 'Your plan ends on'],
]) {
  scenario(`u. the plan is ${what} elsewhere while the review is open: said calmly, not sent, and the page tells the truth at once`, async (world) => {
    const stack = await world.stack();
    const visit = await reviewing(world, stack);
    const { sim, buyer, page, plans } = visit;
    await sim.updateSubscription(buyer.subscription_id, change, stack.apiKey);
    await plans.confirm();
    await plans.dialogShows('Your plan was not changed', 'This is not possible at the moment.', 'Nothing was charged.');
    await plans.dialog.getByRole('button', { name: 'Back' }).click();
    await expectText(plans.element, said);
    assert.ok(await plans.changeButton('Pro').isDisabled());
    await world.shot(page, '1-page');
    assert.deepEqual(await asked(visit), []);
    assert.deepEqual(await sim.charges(buyer, { source: 'plan_change' }), []);
  });
}

/** Our change to Pro is on its way when another one, to Max, comes before it; that one is paid in the end. */
async function overtaken(world, stack) {
  const visit = await reviewing(world, stack, { cards: [CARDS.takesTime] });
  const { sim, buyer, plans } = visit;
  await visit.delayed();
  await plans.confirm();
  await until('our request', async () => (await sim.chargingPosts(buyer)).length === 1);
  await visit.elsewhere({ product_id: 'prod_max_plan' });
  await until('Dodo’s refusal', async () => (await asked(visit)).some(([, answered]) => answered === 409));
  const [waiting] = await sim.waitingPayments(buyer, stack.apiKey);
  await sim.resolve(waiting.payment_id, { status: 'succeeded' });
  await sim.flushWebhooks();
  assert.equal((await visit.now()).product_id, 'prod_max_plan');
  return visit;
}

scenario('u. a change elsewhere overtakes ours on the way and is paid: its payment is not shown as ours', async (world) => {
  const stack = await world.stack();
  const visit = await overtaken(world, stack);
  const { page, plans, address } = visit;
  const told = await plans.dialog.innerText();
  assert.doesNotMatch(told, /Item\s+Pro/, 'the plan is Max');
  assert.doesNotMatch(told, /Then \$80\.00/, 'and renews at $200');
  await world.shot(page, '1-told', { fullPage: false });
  await proxyKnows(stack.proxy, visit, { product_id: 'prod_max_plan' });
  await page.goto(address);
  await plans.shown();
  await expectText(plans.element, 'You have Max');
});

scenario('u. a change elsewhere overtakes ours on the way and is paid: nothing of its payment is given back', async (world) => {
  const amendRules = (rules) => rules.replace('above_quote = "alert"', 'above_quote = "refund_difference"');
  const stack = await world.ownStack({ amendRules });
  const { sim, buyer } = await overtaken(world, stack);
  // Nothing tells that no refund will come: it is watched for longer than one that is due takes to be sent.
  const refunded = async () => (await sim.charges(buyer, { source: 'plan_change', status: 'succeeded' }))[0].refunded;
  const sent = await until('a refund', async () => (await refunded()) > 0, { within: 20_000 }).catch(() => false);
  assert.ok(!sent, `${await refunded()} of another's payment has gone back`);
});

scenario('u. a booking that was found out about by confirming can be taken back without reloading', async (world) => {
  const stack = await world.stack();
  const { elsewhere, plans, now } = await reviewing(world, stack);
  await elsewhere({ product_id: 'prod_max_plan', effective_at: 'next_billing_date', proration_billing_mode: 'full_immediately' });
  await plans.confirm();
  await plans.dialogShows('Your plan was not changed');
  await plans.dialog.getByRole('button', { name: 'Back' }).click();
  await expectText(plans.element, 'Your plan changes to Max on');
  await plans.element.getByRole('button', { name: 'Keep my current plan' }).click();
  await expectText(plans.element, 'You keep your current plan');
  assert.equal((await now()).scheduled_change, null);
});

scenario('u. a change elsewhere is made while the review is open: the new review tells what is had and lost now', async (world) => {
  const stack = await world.stack();
  const { elsewhere, page, plans } = await reviewing(world, stack);
  await elsewhere({ product_id: 'prod_max_plan' });
  await plans.confirm();
  await plans.dialogShows('The amount has changed', 'Max');
  await world.shot(page, '1-review', { fullPage: false });
  await plans.dialogShows('So far $200.00 per month.', 'What you would lose', 'A mentor of your own');
});
