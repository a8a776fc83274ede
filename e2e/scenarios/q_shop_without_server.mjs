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
  assert.match(code, /^#upsell-return-[\w-]{43}$/);
  assert.match(search, /payment_id=/);

  // Whoever was sent the address, in another browser, finds nothing, and asks nothing.
  const stranger = await world.page();
  await stranger.goto(`${address}${search}${code}`);
  await new Offer(stranger).gone();
  assert.deepEqual(await events(stranger), []);

  await page.goto(`${address}${search}${code}`);
  const offer = new Offer(page);
  await offer.shown();
  assert.ok(!page.url().includes(code.slice(1)), 'the code is taken out of the address');
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
    head: `${tag(proxy)}<script>localStorage.setItem("upsell-widget:browser", "b".repeat(64) + " " + Date.now());</script>`,
    body: `<upsell-offer endpoint="${proxy.url}/v1/upsell" redeem></upsell-offer>`,
  });
  await page.goto(`${address}?payment_id=pay_1#upsell-return-${'n'.repeat(43)}`);
  await until('the first question', () => asked.length > 0);
  settled = true;
  const before = asked.length;
  await page.reload();
  await until('the question after the reload', () => asked.length > before);
  assert.deepEqual(asked.at(-1), { nonce: 'n'.repeat(43), payment_id: 'pay_1', browser: 'b'.repeat(64) });
  await until('the code to be forgotten', () => page.evaluate(() => !sessionStorage.getItem('upsell-widget:return')));
});

// A return address as the proxy writes it, for a shop with this address of its own.
const CODE = `upsell-return-${'n-_'.repeat(14)}n`;

/** Addresses of shops: plain, with a query, with parameters of names that we or Dodo might use, with a payment of an earlier order. */
const SHOPS = [
  'https://shop.example/thanks',
  'https://shop.example/',
  'https://shop.example/thanks?order=7&lang=de',
  'https://shop.example/thanks?os=android&nonce=1&redirect=%2Fa%3Fb%3Dc%23d',
  'https://shop.example/thanks?payment_id=pay_earlier',
  'https://shop.example/?q=a+b&empty=&flag',
  'http://127.0.0.1:4030/upsell-return/thanks?return=upsell-return-soon',
];

/** Adds to the query of an address that may have one, and has no fragment. */
const query = (address, ...pairs) => address + (address.includes('?') ? '&' : '?') + pairs.join('&');

/**
 * What checkouts, routers and others do to a return address on its way. Each returns the address and what has to be left of it
 * without the code: nothing else is touched.
 */
const MOVES = {
  'the query is put before the fragment': (shop, ...pairs) => [`${query(shop, ...pairs)}#${CODE}`, query(shop, ...pairs)],
  'the query is glued behind the fragment': (shop, ...pairs) => [`${shop}#${CODE}?${pairs.join('&')}`, `${shop}#?${pairs.join('&')}`],
  'a hash router puts its slash before it': (shop, ...pairs) => [`${query(shop, ...pairs)}#/${CODE}`, `${query(shop, ...pairs)}#/`],
  'a hash router has a route, and a query in it': (shop, ...pairs) => [`${shop}#/thanks?${pairs.join('&')}&${CODE}`, `${shop}#/thanks?${pairs.join('&')}`],
  'a hash router has it first in that query': (shop, ...pairs) => [`${shop}#/thanks?${CODE}&${pairs.join('&')}`, `${shop}#/thanks?${pairs.join('&')}`],
  'and it alone': (shop, ...pairs) => [`${query(shop, ...pairs)}#/thanks?${CODE}`, `${query(shop, ...pairs)}#/thanks`],
  'with the query glued on': (shop, ...pairs) => [`${shop}#/thanks?${CODE}?${pairs.join('&')}`, `${shop}#/thanks?${pairs.join('&')}`],
  'a fragment becomes the last of the query': (shop, ...pairs) => [query(shop, ...pairs, CODE), query(shop, ...pairs)],
  'and gets an equals sign': (shop, ...pairs) => [query(shop, ...pairs, `${CODE}=`), query(shop, ...pairs)],
  'the first of the query': (shop, ...pairs) => [query(shop, CODE, ...pairs), query(shop, ...pairs)],
  'the first, with an equals sign': (shop, ...pairs) => [query(shop, `${CODE}=`, ...pairs), query(shop, ...pairs)],
  'the middle of the query': (shop, first, ...pairs) => [query(shop, first, CODE, ...pairs), query(shop, first, ...pairs)],
  'the query, with a fragment of the shop behind': (shop, ...pairs) => [`${query(shop, ...pairs, CODE)}#top`, `${query(shop, ...pairs)}#top`],
  'its own fragment gets one more': (shop, ...pairs) => [`${query(shop, ...pairs)}#top&${CODE}`, `${query(shop, ...pairs)}#top`],
  'the other way round': (shop, ...pairs) => [`${query(shop, ...pairs)}#${CODE}&top`, `${query(shop, ...pairs)}#top`],
  'the number sign is encoded': (shop, ...pairs) => [`${query(shop, ...pairs)}%23${CODE}`, query(shop, ...pairs)],
  'it is there twice': (shop, ...pairs) => [`${query(shop, ...pairs, CODE)}#${CODE}`, query(shop, ...pairs)],
};

scenario('q. a return address is read wherever others have moved the code, and nothing else in it is touched', async (world) => {
  const { proxy, pages } = await world.stack();
  const page = await world.page();
  await page.goto(pages.publish({ body: '' }));
  const read = (addresses) => page.evaluate(async ([script, all]) => {
    const { readReturn } = await import(script);
    return all.map(readReturn);
  }, [`${proxy.url}/checkout.js`, addresses]);

  const rests = [['status=succeeded'], ['subscription_id=sub_1', 'status=succeeded']];
  const cases = SHOPS.flatMap((shop) => Object.entries(MOVES).flatMap(([what, move]) =>
    rests.map((rest) => [what, ...move(shop, 'payment_id=pay_1', ...rest)])));
  const nonce = CODE.slice('upsell-return-'.length);
  const found = await read(cases.map(([, address]) => address));
  cases.forEach(([what, address, clean], nth) => {
    assert.deepEqual(found[nth], { nonce, payment_id: 'pay_1', clean }, `${what}: ${address}`);
  });

  // Addresses without a code are left alone, also those that end as ours did once, and those with half a code.
  const without = SHOPS.flatMap((shop) =>
    ['', `#os=${nonce}`, `?os=${nonce}`, `#${CODE.slice(0, -1)}`, '#upsell-return-'].map((end) => shop + end));
  const none = [...cases.map(([, , clean]) => clean), ...without];
  assert.deepEqual(await read(none), none.map(() => null));
});

scenario('q. a shop without a server: a checkout that glues its query behind the fragment, and an `os` of the shop’s own', async (world) => {
  const { sim, proxy, pages } = await world.ownStack();
  await sim.policy({ return_url_fragment: 'glue' });
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
  await payOnHostedPage(page, CARDS.good);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  const { hash } = new URL(page.url());
  assert.match(hash, /^#upsell-return-[\w-]{43}\?payment_id=/);

  await page.goto(`${address}?os=android${hash}`);
  const offer = new Offer(page);
  await offer.shown();
  const left = new URL(page.url());
  assert.equal(left.search, '?os=android', 'the shop’s own parameter stays');
  assert.match(left.hash, /^#\?payment_id=/);
  // A reload has no code any more, and the token is the page's: the offer is not lost on the way, it is over with the page.
  await offer.accept();
  await offer.receiptShows(money(12900));
});
