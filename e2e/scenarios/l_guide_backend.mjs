import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { GuideBackend } from '../harness/guide_backend.mjs';
import { calm, hostPageIsWhole } from '../harness/host_page.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';

const BUNDLE = { id: 'prod_complete_bundle', name: 'Complete bundle', price: 12900, currency: 'USD' };

/** A page whose widget talks to a backend of the merchant's own; only the script comes from the proxy. */
async function visit(world, { style = 'camelCase', product = BUNDLE } = {}) {
  const stack = await world.stack();
  const { sim, proxy, pages } = stack;
  const buyer = await sim.buyer();
  const backend = await GuideBackend.start({ sim, apiKey: stack.apiKey, buyer, style, product });
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
    await expectText(offer.element, 'Thank you');
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

scenario('l. hostile words from a backend stay words', async (world) => {
  const name = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
  const { page, offer } = await visit(world, { product: { ...BUNDLE, name, image: 'javascript:window.pwned=1', description: name } });
  await offer.shown();
  await expectText(offer.element, '<img src=x');
  assert.equal(await offer.element.evaluate((element) => element.shadowRoot.querySelectorAll('img, script').length), 0);
  await hostPageIsWhole(page);
});
