import assert from 'node:assert/strict';
import { FAULTS } from '../harness/gateway.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

/** Repeats of one intention: the same key, the same bytes. Returns the consent that they carry. */
function sameBytes(gateway, token, path, count) {
  const sent = gateway.seenWith(token).filter((request) => request.method === 'POST' && request.path === path);
  assert.equal(sent.length, count, `requests to ${path}`);
  assert.equal(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size, 1, 'one key');
  assert.equal(new Set(sent.map(({ body }) => body)).size, 1, sent.map(({ body }) => body).join('\n'));
  return JSON.parse(sent[0].body).consent;
}

/** Statuses of the answers that the widget got from here. */
function statuses(page, path) {
  const found = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname === path && response.request().method() === 'POST') found.push(response.status());
  });
  return found;
}

scenario('w. the answer to an accept is lost: its repeat has the same bytes, and the proxy knows it again', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, token, page, address, offer } = await visitOffer(world, stack, { through: stack.gateway });
  await page.goto(address);
  await offer.ready();
  const answers = statuses(page, '/v1/upsell/accept');
  stack.gateway.break(token, 'POST', '/v1/upsell/accept', FAULTS.cutAfter(), { times: 1 });
  await offer.acceptButton.click();
  await offer.receiptShows(money(12900));
  const consent = sameBytes(stack.gateway, token, '/v1/upsell/accept', 2);
  assert.equal(consent.locale, 'en');
  assert.ok(answers.every((status) => status === 200), `answers: ${answers}`);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('w. the answer to a plan change is lost: its repeat has the same bytes, and the proxy knows it again', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, token, page, address, plans } = await visitPlans(world, stack, { through: stack.gateway });
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  await plans.ready();
  const answers = statuses(page, '/v1/plans/change');
  stack.gateway.break(token, 'POST', '/v1/plans/change', FAULTS.cutAfter(), { times: 1 });
  await plans.confirmButton.click();
  await plans.receiptShows(money(5000));
  sameBytes(stack.gateway, token, '/v1/plans/change', 2);
  assert.ok(answers.every((status) => status === 200), `answers: ${answers}`);
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
});

scenario('w. the page is loaded again before the answer: the same press, the same bytes, one charge', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, token, page, address, offer } = await visitOffer(world, stack, { through: stack.gateway });
  await page.goto(address);
  await offer.ready();
  stack.gateway.break(token, 'POST', '/v1/upsell/accept', FAULTS.silence(), { times: 1 });
  const left = page.waitForRequest(/\/v1\/upsell\/accept$/);
  await offer.acceptButton.click();
  await left;
  await page.reload();
  await offer.accept();
  await offer.receiptShows(money(12900));
  sameBytes(stack.gateway, token, '/v1/upsell/accept', 2);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('w. the consent names the language that was shown, not the one that was asked for', async (world) => {
  const stack = await world.stack();
  const { token, page, address, offer } = await visitOffer(world, stack, {
    through: stack.gateway,
    attributes: 'locale="de-AT"',
  });
  await page.goto(address);
  await offer.accept();
  await offer.receipt.waitFor();
  assert.equal(sameBytes(stack.gateway, token, '/v1/upsell/accept', 1).locale, 'en');
});
