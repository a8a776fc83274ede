import assert from 'node:assert/strict';
import { FAULTS } from '../harness/gateway.mjs';
import { calm, hostPageIsWhole } from '../harness/host_page.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';
import { CORS_REFUSAL } from '../harness/world.mjs';

/** No button turns longer than this. */
const PATIENCE = 10_000;

const ALWAYS = {
  'connection reset': FAULTS.reset(),
  'answer lost': FAULTS.resetAfter(),
  'silence': FAULTS.silence(),
  '30 s late': FAULTS.late(30_000),
  'a byte a second': FAULTS.drip(),
  '401': FAULTS.status(401, 'unauthorized'),
  '404': FAULTS.emptyStatus(404),
  '401 by somebody in between, after the charge': FAULTS.htmlAfter(401),
  '403 by somebody in between, after the charge': FAULTS.htmlAfter(403),
  '404 by somebody in between, after the charge': FAULTS.htmlAfter(404),
  '400 by somebody in between, after the charge': FAULTS.htmlAfter(400),
  '409 key in progress': FAULTS.status(409, 'key_in_progress'),
  '410 offer gone': FAULTS.status(410, 'offer_gone'),
  '422': FAULTS.status(422, 'idempotency_key_reused'),
  '429': FAULTS.status(429, 'rate_limited'),
  '500': FAULTS.status(500, 'internal'),
  '503': FAULTS.status(503, 'unavailable'),
  'HTML with 200': FAULTS.html(200),
  'HTML with 502 and no CORS headers': FAULTS.htmlWithoutCors(502),
  'JSON cut in half': FAULTS.truncatedJson(),
  'JSON of wrong types': FAULTS.json({ success: 'yes', status: 7, receipt: [] }),
};

const SAYS_FAILED = /did not go through|was not changed|Nothing was charged/;

/** One buyer, one intention: however often the browser asks, it is the same key. */
function oneKey(gateway, token, path) {
  const sent = gateway.seenWith(token).filter((request) => request.method === 'POST' && request.path === path);
  assert.ok(sent.length >= 1, `${path} was asked`);
  assert.equal(new Set(sent.map((request) => request.headers['idempotency-key'])).size, 1, `one key in ${sent.length} requests`);
  return sent;
}

for (const [what, fault] of Object.entries(ALWAYS)) {
  scenario(`j. accept, ${what}: calm within 10 s, at most one charge, no lie`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ tolerate: [CORS_REFUSAL] });
    const { sim, buyer, page, token, address, offer } = await visitOffer(world, stack, { through: stack.gateway, profile });
    await page.goto(address);
    await offer.ready();
    stack.gateway.break(token, 'POST', '/v1/upsell/accept', fault);
    const answered = page.waitForRequest(/\/v1\/upsell\/accept$/);
    await offer.acceptButton.click();
    await answered;
    await calm(offer.element, { within: PATIENCE });
    await world.shot(page, 'calm');
    await hostPageIsWhole(page);
    oneKey(stack.gateway, token, '/v1/upsell/accept');

    const charged = await sim.charges(buyer, { source: 'one_click', status: 'succeeded' });
    assert.ok(charged.length <= 1, 'at most one charge');
    if (charged.length === 1) assert.doesNotMatch(await offer.text(), SAYS_FAILED, 'a buyer who has paid is not told otherwise');

    // When all is well again, a fresh look tells the truth and the offer can be taken once in all.
    stack.gateway.heal(token);
    await page.goto(address);
    const again = new Offer(page);
    if (charged.length === 0) {
      const settled = await sim.charges(buyer, { source: 'one_click', status: 'succeeded' });
      if (settled.length === 0) await again.accept();
    }
    await again.receiptShows(money(12900));
    await sim.mustHaveCharged(buyer, 'one_click', [12900]);
    assert.equal((await sim.chargingPosts(buyer)).length, 1, 'one charging request in all');
  });
}

for (const [what, fault] of [['connection reset', FAULTS.reset()], ['answer lost', FAULTS.resetAfter()], ['503', FAULTS.status(503, 'unavailable')]]) {
  scenario(`j. accept, ${what} once: the same key is sent again and ends in a receipt`, async (world) => {
    const stack = await world.stack();
    const { sim, buyer, page, token, address, offer } = await visitOffer(world, stack, { through: stack.gateway });
    await page.goto(address);
    await offer.ready();
    stack.gateway.break(token, 'POST', '/v1/upsell/accept', fault, { times: 1 });
    await offer.acceptButton.click();
    await offer.receiptShows(money(12900));
    assert.equal(oneKey(stack.gateway, token, '/v1/upsell/accept').length, 2);
    await sim.mustHaveCharged(buyer, 'one_click', [12900]);
    assert.equal((await sim.chargingPosts(buyer)).length, 1);
  });

  scenario(`j. plan change, ${what} once: the same key is sent again and ends in a receipt`, async (world) => {
    const stack = await world.stack();
    const { sim, buyer, page, token, address, plans } = await visitPlans(world, stack, { through: stack.gateway });
    await page.goto(address);
    await plans.shown();
    await plans.preview('Pro');
    stack.gateway.break(token, 'POST', '/v1/plans/change', fault, { times: 1 });
    await plans.confirm();
    await plans.receiptShows(money(5000));
    assert.equal(oneKey(stack.gateway, token, '/v1/plans/change').length, 2);
    await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
    assert.equal((await sim.chargingPosts(buyer)).length, 1);
  });
}

scenario('j. the proxy is down: the host page is whole', async (world) => {
  const stack = await world.ownStack();
  const { page, address } = await visitOffer(world, stack);
  await stack.stopProxy();
  await page.goto(address);
  await hostPageIsWhole(page);
  await world.shot(page, 'page');
});

scenario('j. the proxy dies before the click and comes back: one charge in the end', { timeout: 90_000 }, async (world) => {
  const stack = await world.ownStack();
  const { sim, buyer, page, address, offer } = await visitOffer(world, stack);
  await page.goto(address);
  await offer.ready();
  await stack.stopProxy();
  await offer.acceptButton.click();
  await calm(offer.element, { within: PATIENCE });
  await hostPageIsWhole(page);
  await world.shot(page, 'calm');
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click' }), []);

  await stack.startProxy();
  await page.goto(address);
  const again = new Offer(page);
  await again.accept();
  await again.receiptShows(money(12900));
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});
