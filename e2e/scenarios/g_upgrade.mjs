import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { Plans } from '../harness/plans.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitPlans } from '../harness/visits.mjs';
import { events } from '../harness/world.mjs';

/** From the comparison to the receipt; the same on the merchant's page and on the standalone page. */
async function upgradeToPro(world, stack, { sim, buyer, subscription, page, plans }) {
  await plans.shown();
  await expectText(plans.current, 'Basic', 'Your plan', money(3000));
  await expectText(plans.plan('Pro'), money(5000), 'per month');
  await world.shot(page, '1-comparison');

  await plans.preview('Pro');
  await plans.dialogShows(money(5000), '4242', 'The change takes effect at once.');
  await expectText(plans.confirmButton, money(5000));
  await plans.dialogShows(new RegExp(`Then \\${money(8000)}`));
  await world.shot(page, '2-preview');

  await plans.confirm();
  await plans.receiptShows(money(5000));
  await world.shot(page, '3-receipt');

  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
  const [charge] = await sim.charges(buyer, { source: 'plan_change' });
  await plans.receiptShows(charge.payment_id);
  assert.equal((await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).product_id, 'prod_pro_plan');
  assert.equal((await sim.chargingPosts(buyer)).length, 1, 'one change-plan request');
  await until('the webhook of the change', async () => {
    const { webhooks } = await sim.ledger();
    return webhooks.some((hook) => hook.type === 'subscription.plan_changed' && hook.delivered_at);
  });
}

scenario('g. upgrade on the merchant’s page: compares, picks, previews, confirms', async (world) => {
  const stack = await world.stack();
  const visit = await visitPlans(world, stack);
  await visit.page.goto(visit.address);
  await upgradeToPro(world, stack, visit);
  assert.ok((await events(visit.page)).includes('upsell-plan-changed'));

  await visit.page.reload();
  await visit.plans.shown();
  await expectText(visit.plans.current, 'Pro');
});

scenario('g. upgrade on the standalone page', async (world) => {
  const stack = await world.stack();
  const visit = await visitPlans(world, stack);
  await visit.page.goto(`${stack.proxy.url}/upgrade/?view=plans#token=${visit.token}`);
  const plans = new Plans(visit.page, visit.page.locator('#app'));
  await upgradeToPro(world, stack, { ...visit, plans });
  assert.ok(!visit.page.url().includes(visit.token), 'the token is taken out of the address');
});

scenario('g. a card that is refused leaves the plan as it was', async (world) => {
  const stack = await world.stack();
  const visit = await visitPlans(world, stack, { cards: [CARDS.failsLater] });
  const { sim, buyer, subscription, page, plans, address } = visit;
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  await plans.confirm();
  await plans.dialogShows('Your plan was not changed', 'Nothing was charged.');
  await world.shot(page, 'refused');
  assert.equal((await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).product_id, 'prod_basic_plan');
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
  assert.deepEqual(await sim.charges(buyer, { source: 'plan_change', status: 'succeeded' }), []);
});

scenario('g. the dialog can be left with Escape and nothing happens', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, plans, address } = await visitPlans(world, stack);
  await page.goto(address);
  await plans.shown();
  await plans.preview('Max');
  await page.keyboard.press('Escape');
  await plans.dialog.waitFor({ state: 'hidden' });
  assert.equal((await sim.chargingPosts(buyer)).length, 0);
  await plans.preview('Pro');
  await plans.dialogShows(money(5000));
});
