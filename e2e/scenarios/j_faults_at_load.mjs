import assert from 'node:assert/strict';
import { FAULTS } from '../harness/gateway.mjs';
import { calm, hostPageIsWhole } from '../harness/host_page.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';
import { CORS_REFUSAL, events, lastEvent } from '../harness/world.mjs';

/** No buyer waits longer than this for something that does not come. */
const PATIENCE = 10_000;

const AT_LOAD = {
  'connection reset': FAULTS.reset(),
  'silence': FAULTS.silence(),
  '30 s late': FAULTS.late(30_000),
  'a byte a second': FAULTS.drip(),
  '400': FAULTS.status(400, 'invalid_request'),
  '401': FAULTS.status(401, 'unauthorized'),
  '403': FAULTS.status(403, 'origin_not_allowed'),
  '404': FAULTS.emptyStatus(404),
  '409': FAULTS.status(409, 'attempt_in_progress'),
  '410': FAULTS.status(410, 'offer_gone'),
  '422': FAULTS.status(422, 'change_not_possible'),
  '429': FAULTS.status(429, 'rate_limited'),
  '500': FAULTS.status(500, 'internal'),
  '503 without a body': FAULTS.emptyStatus(503),
  'HTML with 200': FAULTS.html(200),
  'HTML with 502': FAULTS.html(502),
  'HTML with 502 and no CORS headers': FAULTS.htmlWithoutCors(502),
  'JSON cut in half': FAULTS.truncatedJson(),
  'JSON of wrong types': FAULTS.json({ eligible: 'yes', product: [], offer: 7, current: null, plans: 'none' }),
  'JSON null': FAULTS.json(null),
  'prices that do not add up': FAULTS.json({
    eligible: true,
    offer: { id: 'off_x', kind: 'upsell', headline: 'x', quantity: 1, decline_key: 'k' },
    product: { id: 'prod_x', name: 'X', price: 100, currency: 'USD' },
    quote: {
      id: 'quo_x', currency: 'USD', lines: [{ kind: 'product', name: 'X', quantity: 1, amount: 100 }], tax: 0,
      tax_inclusive: false, credit: 0, total: 9999, expires_at: 4102444800, expires_in: 300,
    },
  }),
  'a body of 10 MB': FAULTS.huge(),
};

/** Answers that the loader may read as "nothing to offer", which is no failure. */
const READS_AS_NOTHING = new Set(['JSON null', 'a body of 10 MB']);

for (const [what, fault] of Object.entries(AT_LOAD)) {
  scenario(`j. offer at load, ${what}: the host page is whole, nothing is shown`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ tolerate: [CORS_REFUSAL] });
    const { page, token, address, offer } = await visitOffer(world, stack, { through: stack.gateway, profile });
    stack.gateway.break(token, 'GET', '/v1/upsell', fault);
    const asked = page.waitForRequest((request) => request.url().startsWith(`${stack.gateway.url}/v1/upsell`));
    await page.goto(address);
    await asked;
    if (READS_AS_NOTHING.has(what)) await page.waitForLoadState('networkidle');
    else await until('the end of waiting', async () => (await events(page)).includes('upsell-failed'), { within: PATIENCE });
    await offer.gone();
    await hostPageIsWhole(page);
    if (['30 s late', 'HTML with 200'].includes(what)) await world.shot(page, 'page');
    assert.ok(!(await events(page)).includes('upsell-shown'));
  });

  scenario(`j. plans at load, ${what}: the host page is whole, a notice instead of a spinner`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ tolerate: [CORS_REFUSAL] });
    const { page, token, address, plans } = await visitPlans(world, stack, { through: stack.gateway, profile });
    stack.gateway.break(token, 'GET', '/v1/plans', fault);
    await page.goto(address);
    await plans.element.getByRole('heading', { name: /could not be loaded|open for too long/ }).waitFor({ timeout: PATIENCE });
    await calm(plans.element, { within: 0 });
    // The buyer may have paid a moment ago, on this very page before it was reloaded.
    assert.doesNotMatch(await plans.text(), /charged|paid|has changed/i, 'a failed load says nothing about money');
    await hostPageIsWhole(page);
    if (what === 'HTML with 200') await world.shot(page, 'notice');

    // Whether the token is not good, or could not be asked about.
    const [code, again] = what === '401' ? ['unauthorized', 0] : ['unavailable', 1];
    assert.equal((await lastEvent(page, 'upsell-failed')).code, code);
    const button = plans.element.getByRole('button', { name: 'Try again' });
    assert.equal(await button.count(), again);
    if (!again) return;
    stack.gateway.heal(token);
    await button.click();
    await plans.shown();
  });
}
