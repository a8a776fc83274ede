import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitPlans } from '../harness/visits.mjs';

// A buyer leaves their plan: something is proposed before, once; cancelling is plain, and can be taken back.

/** A subscriber of Max looks at their plans. */
async function onMax(world, stack, options) {
  const visit = await visitPlans(world, stack, { product: 'prod_max_plan', ...options });
  await visit.page.goto(visit.address);
  await visit.plans.shown();
  const press = (name) => visit.plans.dialog.getByRole('button', { name, exact: true }).click();
  return { ...visit, press, now: () => visit.sim.subscriptionNow(visit.subscription.subscription_id, stack.apiKey) };
}

scenario('x. before a cheaper plan the step in between is proposed; refused, it does not come again, and the way on is one press', async (world) => {
  const stack = await world.stack();
  const { page, plans, press, address, buyer, sim } = await onMax(world, stack);
  await plans.changeButton('Basic').click();
  await plans.dialogShows('There is a step in between', 'Pro', 'compared with today');
  await world.shot(page, '1-proposed', { fullPage: false });
  await press('No thanks, go on to Basic');
  await plans.dialogShows('Change to Basic', 'What you would lose');
  await press('Back');
  // The same page, a new visit, another device.
  for (const visit of ['the same page', 'another']) {
    if (visit === 'another') {
      await page.goto(address);
      await plans.shown();
    }
    await plans.changeButton('Basic').click();
    await plans.dialogShows('Change to Basic');
    await press('Back');
  }
  assert.equal((await sim.chargingPosts(buyer)).length, 0);
});

scenario('x. what is proposed is taken: its exact amount, confirmed like any change, and the plan is that one', async (world) => {
  const stack = await world.stack();
  const { page, plans, press, now, buyer, sim } = await onMax(world, stack);
  await plans.changeButton('Basic').click();
  await plans.dialogShows('There is a step in between');
  await press('Change to Pro');
  await plans.dialogShows('Added to your credit', money(12000));
  await world.shot(page, '1-review', { fullPage: false });
  await plans.confirm();
  await plans.dialogShows('Your plan is changed');
  assert.equal((await now()).product_id, 'prod_pro_plan');
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
  assert.equal(await sim.credit(buyer, stack.apiKey), 12000);
});

scenario('x. cancels: something is proposed once, then what it means, then it ends with the period; and it is taken back', async (world) => {
  const stack = await world.stack();
  const { page, plans, press, now, address, buyer, sim } = await onMax(world, stack);
  const heard = await page.evaluateHandle(() => {
    const details = [];
    addEventListener('upsell-cancellation-changed', (event) => details.push(event.detail.cancelled));
    return details;
  });
  await plans.element.getByRole('button', { name: 'Cancel subscription' }).click();
  await plans.dialogShows('Keep the basics instead?');
  await world.shot(page, '1-proposed', { fullPage: false });
  await press('No thanks, go on cancelling');
  await plans.dialogShows('Cancel Max?', 'is not charged again');
  await world.shot(page, '2-cancelling', { fullPage: false });
  await press('Cancel subscription');
  await expectText(plans.element, 'Your subscription is cancelled.');
  await expectText(plans.element, 'Your plan ends on');
  assert.equal((await now()).cancel_at_next_billing_date, true);
  assert.equal((await now()).status, 'active');
  await world.shot(page, '3-cancelled');
  assert.ok(await plans.changeButton('Pro').isDisabled(), 'Dodo changes nothing that ends');

  await plans.element.getByRole('button', { name: 'Keep my plan' }).click();
  await expectText(plans.element, 'You keep your current plan');
  assert.equal((await now()).cancel_at_next_billing_date, false);
  assert.deepEqual(await heard.jsonValue(), [true, false]);

  await page.goto(address);
  await plans.shown();
  await plans.element.getByRole('button', { name: 'Cancel subscription' }).click();
  await plans.dialogShows('Cancel Max?');
  await press('Keep my plan');
  assert.equal((await now()).cancel_at_next_billing_date, false);
  assert.equal((await sim.chargingPosts(buyer)).length, 0);
});

scenario('x. keyboard only: closing what is proposed refuses nothing, and the focus goes back', async (world) => {
  const stack = await world.stack();
  const { page, plans, buyer, sim } = await onMax(world, stack);
  await plans.changeButton('Basic').focus();
  await page.keyboard.press('Enter');
  await plans.dialogShows('There is a step in between');
  await page.keyboard.press('Escape');
  await plans.dialog.waitFor({ state: 'hidden' });
  const back = await plans.changeButton('Basic').evaluate((element) => element.getRootNode().activeElement === element);
  assert.ok(back, 'the focus is where it was');
  await page.keyboard.press('Enter');
  await plans.dialogShows('Change to Basic');
  assert.equal((await sim.chargingPosts(buyer)).length, 0);
});

scenario('x. Dodo does not answer a cancellation: said so, nothing is cancelled, and trying again does it', async (world) => {
  const stack = await world.ownStack();
  const { page, plans, press, now, sim, subscription } = await onMax(world, stack);
  await plans.element.getByRole('button', { name: 'Cancel subscription' }).click();
  await press('No thanks, go on cancelling');
  await sim.fault({ method: 'PATCH', path: `/subscriptions/${subscription.subscription_id}`, kind: 'status_500', times: 1 });
  await press('Cancel subscription');
  await plans.dialogShows('could not be cancelled');
  await world.shot(page, '1-failed', { fullPage: false });
  assert.equal((await now()).cancel_at_next_billing_date, false);
  await press('Cancel subscription');
  await expectText(plans.element, 'Your subscription is cancelled.');
  assert.equal((await now()).cancel_at_next_billing_date, true);
});
