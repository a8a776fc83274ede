import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { hostPageIsWhole } from '../harness/host_page.mjs';
import { MerchantPages } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer } from '../harness/visits.mjs';
import { CORS_REFUSAL } from '../harness/world.mjs';

// What others try: other sites, other people's HTML in the merchant's page, the merchant's own style sheet.

scenario('p. a site that is not allowed shows nothing and changes nothing, even with a stolen token', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ tolerate: [CORS_REFUSAL] });
  const { sim, buyer, token, page, offer } = await visitOffer(world, stack, { profile });
  const evil = await MerchantPages.start();
  world.onClose(() => evil.stop());
  await page.goto(evil.offer(stack.proxy, token));
  await page.waitForFunction(() => window.e2e.events.some((event) => event.name === 'upsell-failed'));
  await offer.gone();

  // Requests that need no permission of the proxy: forms and plain text. Nobody may read the answer, so the proxy must.
  const offered = await stack.proxy.offer(token);
  for (const path of ['/v1/upsell/accept', '/v1/upsell/decline', '/v1/upsell/seen']) {
    await page.evaluate(
      async ([url, body]) => {
        await fetch(url, { method: 'POST', mode: 'no-cors', body, headers: { 'content-type': 'text/plain' } }).catch(() => {});
      },
      [`${stack.proxy.url}${path}?token=${token}`, JSON.stringify({ offer_id: offered.offer.id, quote_id: offered.quote.id })],
    );
  }
  assert.equal((await sim.chargingPosts(buyer)).length, 0);
  assert.equal((await stack.proxy.offerFor(buyer)).eligible, true, 'still open to the buyer');
});

scenario('p. no globals, no cookies, nobody else is asked', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const { page, token, offer } = await visitOffer(world, stack, { profile });
  await page.goto(stack.pages.publish({ body: '<div id="here"></div>' }));
  const before = await page.evaluate(() => Object.getOwnPropertyNames(window));
  await page.addScriptTag({ type: 'module', url: stack.proxy.script });
  await page.evaluate(([endpoint, given]) => {
    const element = Object.assign(document.createElement('upsell-offer'), { endpoint, token: given });
    document.querySelector('#here').append(element);
  }, [`${stack.proxy.url}/v1/upsell`, token]);
  await offer.accept();
  await offer.receiptShows(money(12900));
  const added = (await page.evaluate(() => Object.getOwnPropertyNames(window))).filter((name) => !before.includes(name));
  assert.deepEqual(added, [], 'globals');
  assert.deepEqual(await profile.context.cookies(), [], 'cookies');
  const asked = new Set(profile.requests.map(({ url }) => new URL(url).origin).filter((origin) => origin !== 'null'));
  assert.deepEqual(asked, new Set([stack.pages.url, stack.proxy.url]), 'who was asked');
  const tell = profile.requests.filter(({ url, headers }) => url.includes(token) || (headers.referer ?? '').includes('/page/') && url.includes('/v1/'));
  assert.deepEqual(tell, [], 'the token is in no address, and the page is not named to the API');
});

scenario('p. named elements of the page do not confuse the widget', async (world) => {
  const stack = await world.stack();
  const names = ['localStorage', 'fetch', 'customElements', 'endpoint', 'token', 'customer', 'WebAssembly', 'location', 'crypto'];
  const clutter = names.map((name) => `<form id="${name}" name="${name}"><input name="endpoint" value="https://evil.example"></form>`).join('');
  const { page, token, offer } = await visitOffer(world, stack);
  await page.goto(stack.pages.offer(stack.proxy, token, { body: `<div hidden>${clutter}</div>
    <upsell-offer endpoint="${stack.proxy.url}/v1/upsell" token="${token}"></upsell-offer>` }));
  await offer.accept();
  await offer.receiptShows(money(12900));
});

const SHEETS = {
  'a reset of everything': '* { margin: 0 !important; padding: 0 !important; border: 0 !important; background: none !important; font: 8px/1 serif !important }',
  'unstyled everything': 'main * { all: unset !important }',
  'hidden unknown elements': ':not(:defined) { visibility: hidden !important; opacity: 0 !important }',
  'floats and absolutes': 'main * { float: left !important; position: absolute !important; width: 20px !important }',
  'wide letters, upper case': 'body { text-transform: uppercase; letter-spacing: 1em; word-spacing: 3em; line-height: 9; text-indent: 8em; white-space: nowrap }',
  'shouting inherited': 'body { font: 900 40px/1 fantasy; color: white; text-align: center; cursor: none; direction: ltr }',
};

for (const [what, css] of Object.entries(SHEETS)) {
  scenario(`p. the page's style sheet, ${what}: the offer stays readable and can be pressed`, async (world) => {
    const stack = await world.stack();
    const { page, offer, address } = await visitOffer(world, stack, {
      head: `<style>${css}</style>`,
    });
    await page.goto(address);
    await offer.shown();
    await world.shot(page, 'offer');
    const measured = await offer.acceptButton.evaluate((button) => {
      button.scrollIntoView({ block: 'center' });
      const box = button.getBoundingClientRect();
      const style = getComputedStyle(button);
      const root = button.getRootNode();
      return {
        height: box.height,
        fontSize: Number.parseFloat(style.fontSize),
        hit: button.contains(root.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)),
      };
    });
    assert.ok(measured.height >= 44, `the button is ${measured.height} px high`);
    assert.ok(measured.fontSize >= 14 && measured.fontSize <= 20, `its words are ${measured.fontSize} px`);
    assert.ok(measured.hit, 'nothing covers it');
    await offer.accept();
    await offer.receiptShows(money(12900));
  });
}

scenario('p. nothing said by the page reaches the price', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const { sim, buyer, page, offer, token } = await visitOffer(world, stack, { profile });
  await page.goto(stack.pages.offer(stack.proxy, token, {
    attributes: 'price="1" amount="1" product="prod_toolkit" quantity="99" quote="quo_1" data-price="1"',
  }));
  await expectText(offer.acceptButton, money(12900));
  const sent = page.waitForRequest(/\/v1\/upsell\/accept$/);
  await offer.accept();
  const body = (await sent).postDataJSON();
  assert.deepEqual(Object.keys(body).filter((key) => !['offer_id', 'quote_id', 'quantity', 'pay_with', 'consent'].includes(key)), []);
  assert.doesNotMatch(JSON.stringify(body), /12900|prod_|pm_|cus_/);
  await offer.receiptShows(money(12900));
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
  await hostPageIsWhole(page);
});
