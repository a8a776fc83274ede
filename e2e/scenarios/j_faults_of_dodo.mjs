import assert from 'node:assert/strict';
import { calm, hostPageIsWhole } from '../harness/host_page.mjs';
import { money } from '../harness/money.mjs';
import { Plans } from '../harness/plans.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

// Dodo charges and its answer does not arrive as it should: the proxy has to find out, and the buyer must not be told
// anything that turns out to be untrue.

const PATIENCE = 10_000;
const SAYS_FAILED = /did not go through|was not changed|Nothing was charged/;

const AFTER_PROCESSING = [
  'reset_after', 'timeout_after', 'status_500_after', 'status_504_after', 'status_409_after', 'status_429_after',
  'truncated_body', 'non_json_body', 'empty_200',
];

for (const kind of AFTER_PROCESSING) {
  scenario(`j. Dodo charges the offer and then ${kind}: the truth, and one charge`, { timeout: 120_000 }, async (world) => {
    const stack = await world.ownStack();
    const { sim, buyer, page, address, offer } = await visitOffer(world, stack);
    await page.goto(address);
    await offer.ready();
    await sim.fault({ method: 'POST', path: '/checkouts', times: 1, kind });
    await offer.acceptButton.click();
    await calm(offer.element, { within: PATIENCE });
    await world.shot(page, `${kind}-calm`);
    assert.doesNotMatch(await offer.text(), SAYS_FAILED);
    await hostPageIsWhole(page);
    await until('the payment found again', async () => {
      await page.goto(address);
      await offer.receipt.waitFor({ timeout: 3_000 });
      return true;
    }, { within: 60_000 });
    await offer.receiptShows(money(12900));
    await sim.mustHaveCharged(buyer, 'one_click', [12900]);
    assert.equal((await sim.chargingPosts(buyer)).length, 1);
  });
}

for (const kind of ['reset_after', 'status_500_after', 'empty_200', 'status_409_after']) {
  scenario(`j. Dodo changes the plan and then ${kind}: the truth, and one charge`, { timeout: 120_000 }, async (world) => {
    const stack = await world.ownStack();
    const { sim, buyer, subscription, page, address, plans } = await visitPlans(world, stack);
    await page.goto(address);
    await plans.shown();
    await plans.preview('Pro');
    await sim.fault({ method: 'POST', path: '/subscriptions/*/change-plan', times: 1, kind });
    await plans.confirm();
    await calm(plans.element, { within: PATIENCE });
    await world.shot(page, `${kind}-calm`, { fullPage: false });
    assert.doesNotMatch(await plans.text(), SAYS_FAILED);
    await until('the change on the page', async () => {
      await page.goto(address);
      const again = new Plans(page);
      await again.shown();
      return (await again.current.getByRole('heading').first().innerText()) === 'Pro';
    }, { within: 60_000 });
    await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
    assert.equal((await sim.chargingPosts(buyer)).length, 1);
    assert.equal((await sim.subscriptionNow(subscription.subscription_id, stack.apiKey)).product_id, 'prod_pro_plan');
  });
}

for (const kind of ['status_401', 'status_403', 'status_422']) {
  scenario(`j. Dodo refuses the request (${kind}): nothing charged, and said so`, async (world) => {
    const stack = await world.ownStack();
    const { sim, buyer, page, address, offer } = await visitOffer(world, stack);
    await page.goto(address);
    await offer.ready();
    await sim.fault({ method: 'POST', path: '/checkouts', times: 1, kind });
    await offer.acceptButton.click();
    await calm(offer.element, { within: PATIENCE });
    await world.shot(page, `${kind}-calm`);
    assert.match(await offer.text(), /nothing was charged/i);
    assert.deepEqual(await sim.charges(buyer, { source: 'one_click', status: 'succeeded' }), []);
    await hostPageIsWhole(page);
  });
}
