import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { must } from '../harness/http.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { payOnHostedPage } from '../harness/shop.mjs';
import { until } from '../harness/until.mjs';
import { events } from '../harness/world.mjs';

scenario('q. a shop without a server: pays, comes back with a code, redeems it once, accepts', async (world) => {
  const { sim, proxy, pages } = await world.stack();
  const page = await world.page();
  const address = pages.publish({
    head: `${tag(proxy)}<script type="module">
      import { startCheckout } from "${proxy.url}/checkout.js";
      document.querySelector("button")?.addEventListener("click", () => startCheckout("${proxy.url}/v1/upsell", "prod_starter_course"));
    </script>`,
    body: `<p><button>Buy</button></p><upsell-offer endpoint="${proxy.url}/v1/upsell" redeem></upsell-offer>`,
  });
  await page.goto(address);
  await page.getByRole('button', { name: 'Buy' }).click();
  await page.waitForURL((url) => url.href.startsWith(sim.url));
  const returning = page.waitForRequest((request) => request.isNavigationRequest() && !request.url().startsWith(sim.url));
  await payOnHostedPage(page, CARDS.good);
  // The configured return address is the demo shop's, which drops what Dodo has added to it; a page of plain files stands in
  // its place here.
  const back = await returning;
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  const { hash: code } = new URL(page.url());
  const { search } = new URL(back.url());
  assert.match(code, /^#os=[\w-]{16,}$/);
  assert.match(search, /payment_id=/);

  // Whoever was sent the address, in another browser, finds nothing, and asks nothing.
  const stranger = await world.page();
  await stranger.goto(`${address}${search}${code}`);
  await new Offer(stranger).gone();
  assert.deepEqual(await events(stranger), []);

  await page.goto(`${address}${search}${code}`);
  const offer = new Offer(page);
  await offer.shown();
  assert.ok(!page.url().includes(code.slice(4)), 'the code is taken out of the address');
  await offer.accept();
  await offer.receiptShows(money(12900));

  // The code is used up.
  await page.goto('about:blank');
  await page.goto(`${address}${search}${code}`);
  await offer.gone();
});

scenario('q. a shop without a server: a reload while the payment settles does not lose the offer', async (world) => {
  const { proxy, pages } = await world.stack();
  const page = await world.page();
  const asked = [];
  let settled = false;
  await page.route(`${proxy.url}/v1/upsell/redeem`, async (route) => {
    asked.push(route.request().postDataJSON());
    if (settled) return route.fulfill({ json: { token: 'tok', expires_at: 0 } });
    return route.fulfill({ status: 404, json: { status: 404, code: 'not_found', title: '' } });
  });
  const address = pages.publish({
    head: `${tag(proxy)}<script>localStorage.setItem("upsell-widget:browser", "b".repeat(64));</script>`,
    body: `<upsell-offer endpoint="${proxy.url}/v1/upsell" redeem></upsell-offer>`,
  });
  await page.goto(`${address}?payment_id=pay_1#os=${'n'.repeat(43)}`);
  await until('the first question', () => asked.length > 0);
  settled = true;
  const before = asked.length;
  await page.reload();
  await until('the question after the reload', () => asked.length > before);
  assert.deepEqual(asked.at(-1), { nonce: 'n'.repeat(43), payment_id: 'pay_1', browser: 'b'.repeat(64) });
  await until('the code to be forgotten', () => page.evaluate(() => !sessionStorage.getItem('upsell-widget:return')));
});
