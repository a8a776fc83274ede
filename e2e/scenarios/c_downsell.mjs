import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';

scenario('c. declines, is shown the downsell, declines, and nothing more comes', async (world) => {
  const { sim, proxy, pages } = await world.stack();
  const buyer = await sim.buyer();
  const purchase = await sim.purchase(buyer, 'prod_starter_course');
  const session = () => proxy.session(buyer, { payment_id: purchase.payment_id });
  const address = pages.offer(proxy, await session());
  const page = await world.page();
  await page.goto(address);
  const offer = new Offer(page);
  await offer.shown();
  await expectText(offer.acceptButton, money(12900));
  await offer.decline();

  await expectText(offer.acceptButton, money(6900));
  await world.shot(page, '1-downsell');
  await offer.decline();
  await offer.gone();
  await world.shot(page, '2-nothing');
  await until('the second decline at the proxy', async () => (await proxy.offerFor(buyer)).eligible === false);

  for (const where of ['reload', 'another browser']) {
    const visit = where === 'reload' ? page : await world.page();
    const answered = visit.waitForResponse((response) => /\/v1\/upsell(\?|$)/.test(response.url()));
    await visit.goto(where === 'reload' ? address : pages.offer(proxy, await session()));
    assert.equal((await (await answered).json()).eligible, false, where);
    await new Offer(visit).gone();
  }
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click' }), []);
});

scenario('c. accepts the downsell: charged its amount, once', async (world) => {
  const { sim, proxy, pages } = await world.stack();
  const buyer = await sim.buyer({ cards: [CARDS.mastercard] });
  const purchase = await sim.purchase(buyer, 'prod_starter_course');
  const page = await world.page();
  await page.goto(pages.offer(proxy, await proxy.session(buyer, { payment_id: purchase.payment_id })));
  const offer = new Offer(page);
  await offer.shown();
  await offer.decline();
  await expectText(offer.acceptButton, money(6900));
  await offer.accept();
  await offer.receiptShows(money(6900), '4444');
  await sim.mustHaveCharged(buyer, 'one_click', [6900]);
  assert.equal((await sim.chargingPosts(buyer)).length, 1);
});
