import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { payOnHostedPage } from '../harness/shop.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer } from '../harness/visits.mjs';
import { events } from '../harness/world.mjs';

scenario('f. card declined: clear words, the hosted checkout once, no second silent try', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards: [CARDS.failsLater] });
  await page.goto(address);
  await offer.shown();
  await expectText(offer.acceptButton, money(12900));
  await offer.accept();

  await expectText(offer.element, 'The payment did not go through', 'Nothing was charged.');
  await world.shot(page, '1-declined');
  assert.ok((await events(page)).includes('upsell-failed'));
  const another = offer.element.getByRole('button', { name: 'Pay another way' });
  await another.waitFor();
  assert.equal((await sim.chargingPosts(buyer)).length, 1, 'one try');
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click', status: 'succeeded' }), []);

  await another.click();
  await page.waitForURL(`${sim.url}/session/**`);
  await world.shot(page, '2-hosted');
  await payOnHostedPage(page, CARDS.good);
  await page.waitForURL((url) => !url.href.startsWith(sim.url));
  await until('the proxy to know', async () => (await stack.proxy.offerFor(buyer)).reason === 'accepted');
  await page.goto(address);
  await new Offer(page).receiptShows(money(12900));

  assert.equal((await sim.chargingPosts(buyer)).length, 1, 'still one try with the saved card');
  const paid = (await sim.charges(buyer, { status: 'succeeded' })).filter((c) => c.product_ids.includes('prod_complete_bundle'));
  assert.deepEqual(paid.map((c) => [c.amount, c.source]), [[12900, 'hosted']]);
});

scenario('f. the bank wants to see the buyer: no second charge, the receipt when it is settled', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards: [CARDS.challenge] });
  await page.goto(address);
  await offer.accept();
  await expectText(offer.element, 'Your bank wants you to confirm');
  await world.shot(page, '1-waiting');
  assert.doesNotMatch(await offer.text(), /Buy now|Pay another way/, 'nothing to press twice');

  const [waiting] = await sim.waitingPayments(buyer, stack.apiKey);
  await sim.resolve(waiting.payment_id, { status: 'succeeded' });
  await offer.receiptShows(money(12900), waiting.payment_id);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});
