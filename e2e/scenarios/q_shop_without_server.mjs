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
  const { checkout_url } = await must('POST', `${proxy.url}/v1/checkouts`, { body: { product_id: 'prod_starter_course' } });
  await page.goto(checkout_url);
  await payOnHostedPage(page, CARDS.good);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  // The configured return address is the demo shop's; a page of plain files stands in its place here.
  const code = new URL(page.url()).hash;
  assert.match(code, /^#os=[\w-]{16,}$/);
  const address = pages.publish({
    head: tag(proxy),
    body: `<upsell-offer endpoint="${proxy.url}/v1/upsell" redeem></upsell-offer>`,
  });
  await page.goto(`${address}${code}`);
  const offer = new Offer(page);
  await offer.shown();
  assert.ok(!page.url().includes(code.slice(4)), 'the code is taken out of the address');
  await offer.accept();
  await offer.receiptShows(money(12900));

  // Whoever finds the address later finds nothing.
  const stranger = await world.page();
  await stranger.goto(`${address}${code}`);
  // The loader asks for a while, since a payment may need a moment; then it gives up.
  await until('the end of asking', async () => (await events(stranger)).includes('upsell-failed'), { within: 20_000 });
  await new Offer(stranger).gone();
});
