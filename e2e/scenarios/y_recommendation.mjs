import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { expectText } from '../harness/expect.mjs';
import { must } from '../harness/http.mjs';
import { asking } from '../harness/proxy.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitPlans } from '../harness/visits.mjs';

/** The merchant marks no plan by hand, but the one that was chosen most often. */
function chosenMost(rules) {
  assert.ok(rules.includes('recommended = true'));
  return `${rules.replace('recommended = true\n', '')}\n[recommendation]\nwindow_days = 30\nat_least = 10\n`;
}

/** A subscriber of Basic changes to another plan, without a browser. */
async function changes({ sim, proxy }, product_id) {
  const customer = await sim.buyer();
  const { subscription_id } = await sim.subscription(customer, 'prod_basic_plan');
  const token = await proxy.session(customer, { purpose: 'plans', subscription_id });
  const headers = asking(token);
  const { quote } = await must('POST', `${proxy.url}/v1/plans/preview`, { headers, body: { product_id } });
  const attempt = await must('POST', `${proxy.url}/v1/plans/change`, {
    headers: { ...headers, 'idempotency-key': `"${randomUUID()}"` },
    body: { quote_id: quote.id },
  });
  await until('the change', async () => {
    const { status } = await must('GET', `${proxy.url}/v1/plans/attempts/${attempt.attempt_id}`, { headers });
    return status === 'succeeded';
  });
}

scenario('y. the plan that others chose is marked, with how many of them and since when; not where today’s plan fits', async (world) => {
  const stack = await world.ownStack({ amendRules: chosenMost });
  for (let n = 0; n < 11; n += 1) await changes(stack, n < 8 ? 'prod_max_plan' : 'prod_pro_plan');
  const { page, plans, address } = await visitPlans(world, stack);
  await page.goto(address);
  await plans.shown();
  await expectText(plans.plan('Max'), 'Chosen most often', '72\u00a0% of those who changed from Basic in the last 30 days chose this plan.');
  assert.doesNotMatch(await plans.plan('Pro').innerText(), /Chosen|Recommended/);
  await world.shot(page, '1-marked');

  const fits = await visitPlans(world, stack, { usage: [{ feature: 'downloads', used: 3 }] });
  await fits.page.goto(fits.address);
  await fits.plans.shown();
  await expectText(fits.plans.element, 'Your plan fits what you use.');
  assert.doesNotMatch(await fits.plans.plan('Max').innerText(), /Chosen/);
});
