import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { GuideBackend } from '../harness/guide_backend.mjs';
import { calm, hostPageIsWhole } from '../harness/host_page.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';

const BUNDLE = { id: 'prod_complete_bundle', name: 'Complete bundle', price: 12900, currency: 'USD' };

/** A page whose widget talks to a backend of the merchant's own; only the script comes from the proxy. */
async function visit(world, { style = 'camelCase', product = BUNDLE, cards, ...backendOptions } = {}) {
  const stack = await world.stack();
  const { sim, proxy, pages } = stack;
  const buyer = await sim.buyer({ cards });
  const backend = await GuideBackend.start({ sim, apiKey: stack.apiKey, buyer, style, product, ...backendOptions });
  world.onClose(() => backend.stop());
  const profile = await world.profile();
  const page = await profile.page();
  const address = pages.publish({
    head: tag(proxy),
    body: `<upsell-offer endpoint="${backend.endpoint}"></upsell-offer>`,
  });
  await page.goto(address);
  return { sim, buyer, backend, profile, page, address, offer: new Offer(page) };
}

for (const style of ['camelCase', 'snake_case']) {
  scenario(`l. the guide’s backend, ${style}: list price said to be one, accepted once`, async (world) => {
    const { sim, buyer, backend, page, offer } = await visit(world, { style });
    await offer.shown();
    await expectText(offer.element, BUNDLE.name, money(12900), /list price/i);
    await expectText(offer.acceptButton, money(12900));
    await world.shot(page, '1-offer');
    await offer.accept();
    await expectText(offer.element, 'has your order');
    await world.shot(page, '2-done');
    assert.equal(backend.accepts.length, 1);
    await sim.mustHaveCharged(buyer, 'one_click', [12900]);
    await hostPageIsWhole(page);
  });
}

scenario('l. the guide’s backend has no decline: the browser remembers', async (world) => {
  const { sim, buyer, profile, page, address, offer } = await visit(world);
  await offer.shown();
  await offer.decline();
  await offer.gone();
  const answered = page.waitForResponse(/\/api\/upsell(\?|$)/);
  await page.goto(address);
  await answered;
  await page.waitForLoadState('networkidle');
  await new Offer(page).gone();
  const tab = await profile.page();
  await tab.goto(address);
  await tab.waitForLoadState('networkidle');
  await new Offer(tab).gone();
  assert.deepEqual(await sim.charges(buyer), []);
});

for (const status of [400, 500]) {
  scenario(`l. the guide’s backend answers ${status}: calm words, no second try, its own words not repeated`, async (world) => {
    const { sim, buyer, backend, page, offer } = await visit(world);
    backend.refuse(status, '<b>ECARD 17</b>');
    await offer.accept();
    await calm(offer.element, { within: 10_000 });
    await world.shot(page, 'refused');
    assert.equal(backend.accepts.length, 1);
    assert.doesNotMatch(await offer.text(), /ECARD/);
    assert.doesNotMatch(await offer.text(), CLAIMS);
    assert.deepEqual(await sim.charges(buyer), []);
  });
}

scenario('l. the guide’s backend loses its answer: never sent a second time, never called failed', async (world) => {
  const { sim, buyer, backend, page, offer } = await visit(world);
  backend.loseAnswers();
  await offer.accept();
  await calm(offer.element, { within: 10_000 });
  await world.shot(page, 'unknown');
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
  assert.equal(backend.accepts.length, 1, 'one accept');
  assert.doesNotMatch(await offer.text(), /did not go through|Nothing was charged/);
  assert.equal(await offer.acceptButton.count(), 0, 'nothing left to press');
});

/** What no basic backend can know: that it is paid, that nothing was charged, that nothing is charged a second time. */
const CLAIMS = /\bpaid\b|was charged|has been charged|charged twice|did not go through|your bank/i;

scenario('l. the guide’s backend, paid in one tab and pressed in another: nothing is said that is not so', async (world) => {
  const { sim, buyer, backend, profile, page, address, offer } = await visit(world);
  const tab = await profile.page();
  await tab.goto(address);
  const second = new Offer(tab);
  await second.ready();
  await page.bringToFront();
  await offer.accept();
  await expectText(offer.element, 'has your order');
  await tab.bringToFront();
  await second.accept();
  await calm(second.element, { within: 10_000 });
  await world.shot(tab, 'second-tab');
  await expectText(second.element, /not taken|did not take/i);
  assert.doesNotMatch(await second.text(), CLAIMS);
  assert.equal(backend.accepts.length, 2);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('l. the guide’s backend answers success to a declined card: not called paid', async (world) => {
  const { sim, buyer, offer, page } = await visit(world, { cards: [CARDS.failsLater] });
  await offer.accept();
  await expectText(offer.element, 'has your order');
  await world.shot(page, 'not-paid');
  assert.doesNotMatch(await offer.text(), CLAIMS);
  assert.deepEqual((await sim.charges(buyer)).filter((charge) => charge.status === 'succeeded'), []);
});

scenario('l. the guide’s backend takes its time: no promise that is not ours', async (world) => {
  const { backend, offer, page } = await visit(world);
  const answer = backend.holdAnswers();
  await offer.accept();
  await expectText(offer.element, /not answered yet/);
  await world.shot(page, 'slow');
  assert.doesNotMatch(await offer.text(), CLAIMS);
  answer();
  await expectText(offer.element, 'has your order');
});

scenario('l. a price as Dodo writes it, and an id that is a number, are read', async (world) => {
  const price = { type: 'one_time_price', currency: 'USD', price: 12900, discount: 0, pay_what_you_want: false };
  const { offer, page, sim, buyer } = await visit(world, { product: { id: 42, name: BUNDLE.name, price }, productId: BUNDLE.id });
  await offer.shown();
  await expectText(offer.acceptButton, money(12900));
  await world.shot(page, 'offer');
  await offer.accept();
  await expectText(offer.element, 'has your order');
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

for (const [field, product] of [
  ['product.currency', { ...BUNDLE, currency: undefined }],
  ['product.price', { ...BUNDLE, price: '129.00' }],
  ['product', null],
]) {
  scenario(`l. an answer without a usable ${field}: one warning that names it, nothing on the page`, async (world) => {
    const { profile, address } = await visit(world, { product, productId: BUNDLE.id });
    const page = await profile.page();
    const warnings = [];
    page.on('console', (message) => warnings.push(message.text()));
    await page.goto(address);
    await until('a warning', () => warnings.length > 0);
    await page.waitForLoadState('networkidle');
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0], new RegExp(`\\b${field}\\b`));
    await new Offer(page).gone();
    await hostPageIsWhole(page);
  });
}

scenario('l. a backend on the page’s own origin gets the cookie by which it knows the buyer', async (world) => {
  const stack = await world.stack();
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Order complete</title><link rel="icon" href="data:,">
    ${tag(stack.proxy)}<upsell-offer endpoint="/api/upsell"></upsell-offer></html>`;
  const { backend, profile } = await visit(world, { page });
  const shop = await profile.page();
  await shop.goto(new URL('/shop', backend.endpoint).href);
  const offer = new Offer(shop);
  await offer.accept();
  await expectText(offer.element, 'has your order');
  const [elsewhere, here] = backend.asked.map(({ cookie }) => cookie);
  assert.deepEqual([elsewhere, here], [undefined, 'shop_session=s1'], 'from another origin nothing, from its own the cookie');
  assert.deepEqual(backend.accepts.map(({ cookie }) => cookie), ['shop_session=s1']);
});

scenario('l. hostile words from a backend stay words', async (world) => {
  const name = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
  const { page, offer } = await visit(world, { product: { ...BUNDLE, name, image: 'javascript:window.pwned=1', description: name } });
  await offer.shown();
  await expectText(offer.element, '<img src=x');
  assert.equal(await offer.element.evaluate((element) => element.shadowRoot.querySelectorAll('img, script').length), 0);
  await hostPageIsWhole(page);
});
