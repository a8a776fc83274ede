import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { MerchantPages } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { payOnHostedPage } from '../harness/shop.mjs';
import { visitOffer } from '../harness/visits.mjs';

// The widget's page in a frame of another site's page. Pages to pay at refuse frames, so the way to them is the whole tab.

/** A page of another origin that frames this address. */
async function framed(world, page, address, attributes = '') {
  const outside = await MerchantPages.start();
  world.onClose(() => outside.stop());
  await page.goto(outside.publish({
    body: `<iframe src="${address}" title="Thank you" width="1000" height="700" ${attributes}></iframe>`,
  }));
  const inside = page.frameLocator('iframe');
  return { inside, offer: new Offer(page, inside.locator('upsell-offer')) };
}

scenario('z. in a frame one click pays, and the hosted checkout opens in the whole tab', async (world) => {
  const stack = await world.stack();
  const paid = await visitOffer(world, stack);
  const { offer } = await framed(world, paid.page, paid.address);
  await offer.accept();
  await offer.receiptShows(money(12900));
  await world.shot(paid.page, '1-receipt');

  const { sim, buyer, page, address } = await visitOffer(world, stack, { cards: [] });
  const other = await framed(world, page, address);
  await other.offer.accept();
  await page.waitForURL(`${sim.url}/session/**`);
  await world.shot(page, '2-hosted');
  await payOnHostedPage(page, CARDS.good);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  const charges = (await sim.charges(buyer, { status: 'succeeded' })).filter((c) => c.product_ids.includes('prod_complete_bundle'));
  assert.deepEqual(charges.map((c) => c.amount), [12900]);
});

scenario('z. in a frame, an answer that outlasts the press leaves a button, and that opens the checkout', async (world) => {
  const stack = await world.stack();
  // The browser itself reports that a frame may not leave its page without a fresh press.
  const profile = await world.profile({ tolerate: [/navigat|sandbox/i] });
  // Whatever the harness does in a page counts as a press, so the frame says by itself, on the console, when its press is over and
  // when it has tried to go.
  const awaited = {};
  const told = (what) => new Promise((resolve) => (awaited[what] = resolve));
  profile.context.on('console', (message) => awaited[message.text()]?.());
  await profile.context.addInitScript(() => {
    let pressed = false;
    document.addEventListener('upsell-accept', () => (pressed = true));
    setInterval(() => pressed && !navigator.userActivation.isActive && console.debug('idle'), 100);
    document.addEventListener('upsell-navigate', () => setTimeout(() => console.debug('tried'), 200));
  });
  const { sim, page, address } = await visitOffer(world, stack, { cards: [], profile });
  // Without a sandbox Chromium is content with any press that ever was; other browsers, and this sandbox, are not.
  const sandbox = 'sandbox="allow-scripts allow-same-origin allow-top-navigation-by-user-activation"';
  const { inside, offer } = await framed(world, page, address, sandbox);
  const outer = page.url();
  await page.route(/\/v1\/upsell\/accept$/, async (route) => {
    await told('idle');
    await route.continue();
  });
  const tried = told('tried');
  await offer.accept();
  await tried;
  await expectText(inside.locator('upsell-offer'), 'Continue on the payment page');
  const on = inside.getByRole('button', { name: 'Open the payment page' });
  await on.waitFor();
  assert.equal(page.url(), outer, 'nothing has moved');
  await world.shot(page, 'slow');
  await on.click();
  await page.waitForURL(`${sim.url}/session/**`);
});

scenario('z. in a frame without WebAssembly the standalone page opens in the whole tab, at the second press', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ tolerate: [/WebAssembly|wasm/i] });
  const csp = `default-src 'none'; script-src ${stack.proxy.url}; connect-src ${stack.proxy.url}; img-src data:`;
  const { sim, buyer, page, address } = await visitOffer(world, stack, { profile, csp });
  const { inside } = await framed(world, page, address);
  const link = inside.getByRole('link');
  await link.click();
  await expectText(link, 'Continue');
  await link.click();
  await page.waitForURL(/\/upgrade\//);
  const offer = new Offer(page, page.locator('#app'));
  await offer.accept();
  await offer.receiptShows(money(12900));
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('z. in a sandbox that keeps the tab, paying elsewhere is inert, and nothing is charged', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ tolerate: [/navigat|sandbox/i] });
  const { sim, buyer, page, address } = await visitOffer(world, stack, { cards: [], profile });
  const { inside, offer } = await framed(world, page, address, 'sandbox="allow-scripts allow-same-origin"');
  const outer = page.url();
  await offer.accept();
  const on = inside.getByRole('button', { name: 'Open the payment page' });
  await on.waitFor();
  await on.click();
  await world.shot(page, 'inert');
  assert.equal(page.url(), outer);
  assert.ok(await on.isVisible(), 'the frame stays as it is');
  assert.deepEqual((await sim.chargingPosts(buyer)).length, 0);
});
