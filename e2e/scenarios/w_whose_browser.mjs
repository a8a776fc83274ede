import assert from 'node:assert/strict';
import { expectText, readTexts } from '../harness/expect.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { Plans } from '../harness/plans.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';
import { events } from '../harness/world.mjs';

// A token stands in a page, and pages are cached, copied, restored and duplicated: it is good in one browser.

const FAILED = () => window.e2e.events.some((event) => event.name === 'upsell-failed');

/** As a browser that keeps nothing. */
function noStorage(profile) {
  return profile.context.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('no storage here', 'SecurityError');
        },
      });
    }
  });
}

scenario('w. a cached thank-you page in a second browser shows nothing and charges nothing', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack);
  await page.goto(address);
  await offer.shown();

  // The page cache serves the very same page, token and all, to somebody else.
  const stranger = await world.profile();
  const theirs = await stranger.page();
  await theirs.goto(address);
  await theirs.waitForFunction(FAILED);
  await new Offer(theirs).gone();
  await world.shot(theirs, '1-stranger');
  assert.deepEqual(await events(theirs), ['upsell-failed'], 'nothing was shown');
  assert.deepEqual(stranger.requestsTo(/\.wasm/), [], 'and nothing fetched for it');
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click' }), []);

  // For the buyer nothing has changed, also after a reload.
  await page.reload();
  await offer.accept();
  await offer.receiptShows(money(12900));
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);

  // Nor does the stranger learn of the purchase.
  await theirs.reload();
  await theirs.waitForFunction(FAILED);
  await new Offer(theirs).gone();
  assert.deepEqual(await events(theirs), ['upsell-failed']);
});

scenario('w. a stranger who comes first keeps the buyer from the offer, and from nothing else', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, purchase, page, offer, address } = await visitOffer(world, stack);
  const theirs = await world.page();
  await theirs.goto(address);
  await new Offer(theirs).shown();
  await page.goto(address);
  await page.waitForFunction(FAILED);
  await offer.gone();
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click' }), []);
  // The merchant's server mints another token with each page that it builds.
  const token = await stack.proxy.session(buyer, { payment_id: purchase.payment_id });
  await page.goto(stack.pages.offer(stack.proxy, token));
  await offer.shown();
});

scenario('w. plans that were opened in another browser say so, and nothing of the buyer', async (world) => {
  const stack = await world.stack();
  const visit = await visitPlans(world, stack);
  await visit.page.goto(visit.address);
  await visit.plans.shown();
  const theirs = await world.page();
  await theirs.goto(visit.address);
  const said = theirs.locator('upsell-plans [part~="message"]');
  await said.waitFor();
  await world.shot(theirs, 'stranger');
  assert.doesNotMatch(await said.innerText(), /Basic|Pro|Max|\$/);
});

scenario('w. without storage a reload tells how the charge stands, and no more', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  await noStorage(profile);
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { profile });
  await page.goto(address);
  await offer.accept();
  await offer.receiptShows(money(12900));
  await page.reload();
  await expectText(offer.element, 'Your order is complete');
  await world.shot(page, 'reloaded');
  assert.equal(await offer.receipt.count(), 0);
  assert.doesNotMatch(await offer.text(), /\$|4242|Bundle/i);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('w. a backend without tokens is sent no header of ours', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const page = await profile.page();
  const asked = page.waitForRequest((request) => request.method() === 'GET' && request.url().includes('/v1/upsell'));
  await page.goto(stack.pages.publish({
    head: tag(stack.proxy),
    body: `<upsell-offer endpoint="${stack.proxy.url}/v1/upsell"></upsell-offer>`,
  }));
  const { 'upsell-browser': secret, authorization } = (await asked).headers();
  assert.deepEqual([secret, authorization], [undefined, undefined]);
  assert.equal(await page.evaluate(() => localStorage.getItem('upsell-widget:browser')), null, 'and none is made');
});

scenario('w. the link to the standalone page carries a code that is good once, never the token', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ tolerate: [/WebAssembly|wasm/i] });
  const csp = `default-src 'none'; script-src ${stack.proxy.url}; connect-src ${stack.proxy.url}; img-src data:`;
  const { sim, buyer, page, offer, address, token } = await visitOffer(world, stack, { profile, csp });
  await page.goto(address);
  const link = offer.element.getByRole('link');
  assert.equal(new URL(await link.getAttribute('href')).hash, '');
  const opening = page.waitForRequest((request) => request.isNavigationRequest() && request.url().includes('/upgrade/'));
  const taken = page.waitForResponse((response) => response.url().endsWith('/v1/handover/redeem'));
  await link.click();
  const opened = (await opening).url();
  const { token: own } = await (await taken).json();
  assert.ok(own && own !== token);
  const standalone = new Offer(page, page.locator('#app'));
  await standalone.shown();
  assert.equal(new URL(page.url()).hash, '', 'the code is taken out of the address');
  assert.ok(!opened.includes(token));

  // Who finds the address afterwards, code and all, opens nothing with it.
  const code = (await taken).request().postDataJSON().code;
  const theirs = await world.page();
  await theirs.goto(`${stack.proxy.url}/upgrade/?view=offer#code=${code}`);
  await expectText(theirs.locator('#app'), 'open it from the shop again');
  await world.shot(theirs, 'stranger');
  assert.doesNotMatch((await readTexts(theirs.locator('#app'))).join(), /charge|\$/i);

  // A reload goes on, and both pages show one and the same charge.
  await page.reload();
  await standalone.accept();
  await standalone.receiptShows(money(12900));
  await page.reload();
  await standalone.receiptShows(money(12900));
  await world.shot(page, 'reloaded');
  await page.goto(address);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('w. the standalone page without a token says nothing about money', async (world) => {
  const stack = await world.stack();
  for (const [view, locale] of [['plans', 'en'], ['offer', 'en'], ['offer', 'ja']]) {
    const page = await world.page();
    await page.goto(`${stack.proxy.url}/upgrade/?view=${view}&locale=${locale}`);
    await expectText(page.locator('#app'), locale === 'en' ? 'open this page from the shop' : 'ショップから');
    assert.doesNotMatch((await readTexts(page.locator('#app'))).join(), /charge|paid|pay|請求|支払/i);
    await world.shot(page, `${view}-${locale}`);
  }
});

scenario('w. the standalone page, reloaded after paying, shows the receipt', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, token } = await visitOffer(world, stack);
  await page.goto(`${stack.proxy.url}/upgrade/?view=offer#token=${token}`);
  const offer = new Offer(page, page.locator('#app'));
  await offer.accept();
  await offer.receiptShows(money(12900));
  await page.reload();
  await offer.receiptShows(money(12900));
  await world.shot(page, 'receipt');
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('w. the standalone page, reloaded after a plan change, shows the plan; after a decline, that there is nothing', async (world) => {
  const stack = await world.stack();
  const visit = await visitPlans(world, stack);
  await visit.page.goto(`${stack.proxy.url}/upgrade/#token=${visit.token}`);
  const plans = new Plans(visit.page, visit.page.locator('#app'));
  await plans.shown();
  await plans.preview('Pro');
  await plans.confirm();
  await plans.receiptShows(money(5000));
  await visit.page.reload();
  await plans.shown();
  await expectText(plans.current, 'Pro');

  const declined = await visitOffer(world, stack, { product: 'prod_single_license' });
  await declined.page.goto(`${stack.proxy.url}/upgrade/?view=offer#token=${declined.token}`);
  const offer = new Offer(declined.page, declined.page.locator('#app'));
  await offer.shown();
  await offer.decline();
  await expectText(declined.page.locator('#app'), 'nothing to show');
  await declined.page.reload();
  await expectText(declined.page.locator('#app'), 'nothing to show');
  await world.shot(declined.page, 'nothing');
});
