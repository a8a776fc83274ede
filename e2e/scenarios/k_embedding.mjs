import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { hostPageIsWhole } from '../harness/host_page.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { Plans } from '../harness/plans.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

scenario('k. an offer and the plans on one page do not know of each other', async (world) => {
  const stack = await world.stack();
  const { sim, proxy, pages } = stack;
  const bought = await visitOffer(world, stack);
  const subscribed = await visitPlans(world, stack, { page: bought.page });
  const { page } = bought;
  await page.goto(pages.publish({
    head: tag(proxy),
    body: `<upsell-offer endpoint="${proxy.url}/v1/upsell" token="${bought.token}"></upsell-offer>
           <upsell-plans endpoint="${proxy.url}/v1/plans" token="${subscribed.token}"></upsell-plans>`,
  }));
  const offer = new Offer(page);
  const plans = new Plans(page);
  await plans.shown();
  await offer.accept();
  await offer.receiptShows(money(12900));
  await plans.preview('Pro');
  await plans.confirm();
  await plans.receiptShows(money(5000));
  await world.shot(page, 'both-done', { fullPage: false });
  await page.keyboard.press('Escape');
  await hostPageIsWhole(page);
  await sim.mustHaveCharged(bought.buyer, 'one_click', [12900]);
  await sim.mustHaveCharged(subscribed.buyer, 'plan_change', [5000]);
});

scenario('k. the same offer twice on one page is charged once', async (world) => {
  const stack = await world.stack();
  const { sim, proxy, pages } = stack;
  const { page, token, buyer } = await visitOffer(world, stack);
  const element = `<upsell-offer endpoint="${proxy.url}/v1/upsell" token="${token}"></upsell-offer>`;
  await page.goto(pages.publish({ head: tag(proxy), body: element + element }));
  const [first, second] = [0, 1].map((nth) => new Offer(page, page.locator('upsell-offer').nth(nth)));
  await second.shown();
  await first.accept();
  await first.receiptShows(money(12900));
  await second.accept();
  await second.receiptShows(money(12900));
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});

scenario('k. the script twice on one page does no harm', async (world) => {
  const stack = await world.stack();
  const { proxy, pages } = stack;
  const { page, token } = await visitOffer(world, stack);
  await page.goto(pages.offer(proxy, token, {
    head: `<script type="module" src="${proxy.script}?again"></script>`,
  }));
  const offer = new Offer(page);
  await offer.shown();
  assert.equal(await offer.acceptButton.count(), 1);
});

scenario('k. an element taken off, put back, and moved keeps working', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack);
  await page.goto(address);
  await offer.shown();
  const element = await offer.element.elementHandle();

  await element.evaluate((node) => {
    window.home = node.parentNode;
    node.remove();
  });
  await expectText(page.locator('h1'), 'Thank you');
  await element.evaluate((node) => window.home.append(node));
  await offer.shown();
  assert.equal(await offer.acceptButton.count(), 1, 'one widget in it');

  // Moving is removing and putting back in one breath.
  await element.evaluate((node) => document.querySelector('h1').after(node));
  await offer.shown();
  for (let i = 0; i < 20; i += 1) {
    await element.evaluate((node) => {
      const parent = node.parentNode;
      node.remove();
      parent.append(node);
    });
  }
  await offer.accept();
  await offer.receiptShows(money(12900));
  await world.shot(page, 'receipt');
  await hostPageIsWhole(page);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('k. an element taken off while it loads leaves nothing behind', async (world) => {
  const stack = await world.stack();
  const { page, address } = await visitOffer(world, stack);
  const asked = page.waitForRequest(/\/v1\/upsell\?/);
  await page.goto(address, { waitUntil: 'commit' });
  await asked;
  await page.evaluate(() => document.querySelector('upsell-offer').remove());
  await page.waitForLoadState('networkidle');
  await hostPageIsWhole(page);
  assert.equal(await page.locator('upsell-offer').count(), 0);
});

/** The strictest policy under which the documentation promises that the widget works. */
function strict(stack, { scripts = "'wasm-unsafe-eval'", style = "'none'" } = {}) {
  return [
    "default-src 'none'",
    `script-src ${stack.proxy.url} ${scripts}`.trim(),
    `connect-src ${stack.proxy.url}`,
    `style-src ${style}`,
    'img-src https: data:',
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

async function violations(page) {
  return page.evaluate(() => window.e2e.violations);
}

for (const [what, style] of [["style-src 'none'", "'none'"], ['a nonce for styles', "'nonce-c3R5bGU'"]]) {
  scenario(`k. strict CSP and Trusted Types, ${what}: the offer works without a report`, async (world) => {
    const stack = await world.stack();
    const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { csp: strict(stack, { style }) });
    await page.goto(address);
    await offer.accept();
    await offer.receiptShows(money(12900));
    await world.shot(page, 'receipt');
    assert.deepEqual(await violations(page), []);
    await sim.mustHaveCharged(buyer, 'one_click', [12900]);
  });

  scenario(`k. strict CSP and Trusted Types, ${what}: the plan change works without a report`, async (world) => {
    const stack = await world.stack();
    const { sim, buyer, page, plans, address } = await visitPlans(world, stack, { csp: strict(stack, { style }) });
    await page.goto(address);
    await plans.shown();
    await plans.preview('Pro');
    await world.shot(page, 'dialog');
    await plans.confirm();
    await plans.receiptShows(money(5000));
    assert.deepEqual(await violations(page), []);
    await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
  });
}

scenario('k. a CSP without wasm-unsafe-eval: a link to the standalone page, no byte of WebAssembly', async (world) => {
  const stack = await world.stack();
  // Asking whether WebAssembly may run is what the browser reports here; there is no other way to ask.
  const profile = await world.profile({ tolerate: [/WebAssembly|wasm/i] });
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { profile, csp: strict(stack, { scripts: '' }) });
  await page.goto(address);
  const link = offer.element.getByRole('link');
  await link.waitFor();
  await world.shot(page, '1-link');
  assert.deepEqual(profile.requestsTo(/\.wasm/), []);
  await hostPageIsWhole(page);

  await link.click();
  await page.waitForURL(/\/upgrade\//);
  const standalone = new Offer(page, page.locator('#app'));
  await standalone.accept();
  await standalone.receiptShows(money(12900));
  await world.shot(page, '2-standalone-receipt');
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});
