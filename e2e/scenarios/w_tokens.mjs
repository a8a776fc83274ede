// Tokens that are not confirmed yet, not good any more, or replaced while the page stays.

import assert from 'node:assert/strict';
import { FAULTS } from '../harness/gateway.mjs';
import { hostPageIsWhole } from '../harness/host_page.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

const failures = (page) =>
  page.evaluate(() => window.e2e.events.filter(({ name }) => name === 'upsell-failed').map(({ detail }) => detail.code));

scenario('w. tokens: Dodo is slow, and the offer comes once it has confirmed whose the purchase is', async (world) => {
  const stack = await world.ownStack({ sessionWait: 300 });
  const { sim } = stack;
  await sim.webhookPolicy({ paused: true });
  await sim.fault({ method: 'GET', path: '/payments/*', kind: 'delay', delay_ms: 3_000 });
  const began = Date.now();
  const { page, offer, address, buyer } = await visitOffer(world, stack);
  assert.ok(Date.now() - began < 2_900, 'the merchant does not wait for Dodo');
  const first = page.waitForResponse((answer) => answer.request().method() === 'GET' && answer.url().includes('/v1/upsell'));
  await page.goto(address);
  assert.equal((await first).status(), 409, 'not confirmed yet');
  await offer.accept();
  await offer.receiptShows(money(12900));
  assert.deepEqual(await failures(page), []);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('w. tokens: plans of a token that is confirmed late, on the page and standing alone', async (world) => {
  const stack = await world.stack();
  const { proxy, gateway } = stack;
  const { page, plans, token, address, buyer } = await visitPlans(world, stack, { through: gateway });
  gateway.break(token, 'GET', '/v1/plans', FAULTS.status(409, 'not_confirmed_yet'), { times: 2 });
  await page.goto(address);
  await plans.shown();
  assert.deepEqual(await failures(page), []);

  const alone = await world.page();
  let answers = 0;
  await alone.route(`${proxy.url}/v1/plans?**`, (route) => {
    answers += 1;
    if (answers > 2) return route.fallback();
    const problem = { status: 409, code: 'not_confirmed_yet', title: 'not yet', retry_after: 1 };
    return route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify(problem) });
  });
  const another = await proxy.session(buyer, { purpose: 'plans', subscription_id: buyer.subscription_id });
  await alone.goto(`${proxy.url}/upgrade/#token=${another}`);
  await alone.getByRole('button', { name: /Pro/ }).first().waitFor();
  assert.equal(answers, 3);
});

scenario('w. tokens: a token that is never confirmed shows nothing and is given up', async (world) => {
  const stack = await world.stack();
  const { page, offer, token, address } = await visitOffer(world, stack, { through: stack.gateway });
  stack.gateway.break(token, 'GET', '/v1/upsell', FAULTS.status(409, 'not_confirmed_yet'));
  await page.goto(address);
  await page.waitForFunction(() => window.e2e.events.some(({ name }) => name === 'upsell-failed'));
  assert.deepEqual(await failures(page), ['unavailable']);
  await offer.gone();
  await hostPageIsWhole(page);
});

scenario('w. tokens: one that is over at a press is told as unauthorized, of an offer and of plans', async (world) => {
  const stack = await world.stack();
  const { gateway } = stack;
  const bought = await visitOffer(world, stack, { through: gateway });
  await bought.page.goto(bought.address);
  await bought.offer.ready();
  gateway.break(bought.token, 'POST', '/v1/upsell/accept', FAULTS.status(401, 'unauthorized'));
  await bought.offer.accept();
  await bought.offer.element.getByText(/open for too long/).first().waitFor();
  assert.deepEqual(await failures(bought.page), ['unauthorized']);
  await world.shot(bought.page, 'offer');

  const subscribed = await visitPlans(world, stack, { through: gateway });
  await subscribed.page.goto(subscribed.address);
  await subscribed.plans.shown();
  gateway.break(subscribed.token, 'POST', '/v1/plans/preview', FAULTS.status(401, 'unauthorized'));
  await subscribed.plans.changeButton('Pro').click();
  await subscribed.plans.element.getByText(/open for too long/).first().waitFor();
  assert.deepEqual(await failures(subscribed.page), ['unauthorized']);
  await world.shot(subscribed.page, 'plans');
});

scenario('w. tokens: a page that never reloads gives its element a new token, as documented', async (world) => {
  const stack = await world.stack();
  const { proxy, sim, pages } = stack;
  const { page, offer, buyer, purchase } = await visitOffer(world, stack);
  const next = await proxy.session(buyer, { payment_id: purchase.payment_id });
  await page.exposeFunction('newToken', () => next);
  await page.addInitScript(() => {
    document.addEventListener('upsell-failed', async ({ target, detail }) => {
      if (detail.code === 'unauthorized') target.token = await window.newToken();
    });
  });
  await page.goto(pages.offer(proxy, 'over'));
  await offer.shown();
  assert.equal(await offer.acceptButton.count(), 1);
  assert.deepEqual(await failures(page), ['unauthorized']);

  // Another buyer signs in: their offer takes the place of the first one's.
  const other = await visitOffer(world, stack, { page, product: 'prod_single_license' });
  const before = await offer.text();
  await offer.element.evaluate((element, token) => {
    element.token = token;
  }, other.token);
  await page.waitForFunction(
    ([element, before]) => {
      const text = element.shadowRoot?.textContent ?? '';
      return text.length > 0 && !text.includes(before);
    },
    [await offer.element.elementHandle(), before.split('\n').find((line) => line.length > 12)],
  );
  await offer.shown();
  assert.equal(await offer.acceptButton.count(), 1, 'one offer at a time');
  await offer.accept();
  await offer.receipt.waitFor();
  await sim.mustHaveCharged(buyer, 'one_click', []);
  assert.equal((await sim.chargingPosts(other.buyer)).length, 1);
});
