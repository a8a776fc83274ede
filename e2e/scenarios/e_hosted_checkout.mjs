import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { payOnHostedPage } from '../harness/shop.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer } from '../harness/visits.mjs';

const EXPIRED = { ...CARDS.good, as: { expiry_month: 1, expiry_year: 2020 } };

for (const [what, cards] of [['without a saved card', []], ['with an expired card only', [EXPIRED]]]) {
  scenario(`e. ${what} the offer leads to the hosted checkout, is paid there, and has its receipt`, async (world) => {
    const stack = await world.stack();
    const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards });
    await page.goto(address);
    await offer.shown();
    await world.shot(page, '1-offer');
    await expectText(offer.acceptButton, /continue to checkout/i, money(12900));
    assert.doesNotMatch(await offer.text(), /4242/, 'no card is promised');

    await offer.accept();
    await page.waitForURL(`${sim.url}/session/**`);
    assert.deepEqual(await sim.charges(buyer, { source: 'one_click' }), [], 'nothing was charged by the click');
    await world.shot(page, '2-hosted');
    await expectText(page.locator('body'), 'Total today', 'USD 129.00');
    await payOnHostedPage(page, CARDS.good);
    await page.waitForURL((url) => !url.href.startsWith(sim.url));

    // Back on the merchant's page, with the webhook in, the buyer finds the receipt instead of the offer.
    await until('the proxy to know', async () => (await stack.proxy.offerFor(buyer)).reason === 'accepted');
    await page.goto(address);
    const back = new Offer(page);
    await back.receiptShows(money(12900));
    await world.shot(page, '3-receipt');
    const paid = (await sim.charges(buyer, { status: 'succeeded' })).filter((c) => c.product_ids.includes('prod_complete_bundle'));
    assert.deepEqual(paid.map((c) => [c.amount, c.source]), [[12900, 'hosted']]);
    assert.equal((await sim.chargingPosts(buyer)).length, 0);
  });
}

scenario('e. two tabs share one hosted checkout', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const first = await visitOffer(world, stack, { cards: [], profile });
  const tab = await profile.page();
  const addresses = [];
  for (const page of [first.page, tab]) {
    await page.goto(first.address);
    await new Offer(page).accept();
    await page.waitForURL(`${stack.sim.url}/session/**`);
    addresses.push(page.url());
  }
  assert.equal(addresses[0], addresses[1], 'the second tab opened the same checkout');
});

scenario('e. back from the hosted checkout before the webhook: the same checkout, no second offer, then the receipt', async (world) => {
  const stack = await world.ownStack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards: [] });
  await page.goto(address);
  await offer.accept();
  await page.waitForURL(`${sim.url}/session/**`);
  await sim.webhookPolicy({ paused: true });
  await payOnHostedPage(page, CARDS.good);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));

  await page.goto(address);
  const back = new Offer(page);
  await expectText(back.element, 'Continue on the payment page');
  assert.doesNotMatch(await back.text(), /Buy now|Continue to checkout/, 'not offered a second time');
  await world.shot(page, '1-before-the-webhook');
  // A token minted for the page that the buyer returns to looks at the checkout: no webhook is needed.
  assert.equal((await stack.proxy.offerFor(buyer)).reason, 'accepted');
  await page.goto(address);
  await new Offer(page).receiptShows(money(12900));
  const paid = (await sim.charges(buyer, { status: 'succeeded' })).filter((c) => c.product_ids.includes('prod_complete_bundle'));
  assert.equal(paid.length, 1);
});
