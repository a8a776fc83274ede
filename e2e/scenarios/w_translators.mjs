import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { GuideBackend } from '../harness/guide_backend.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { Plans } from '../harness/plans.mjs';
import { scenario } from '../harness/runner.mjs';
import { rewriteNumbers, translate } from '../harness/translator.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';
import { lastEvent } from '../harness/world.mjs';

const ALTERED = 'had changed the amount on the screen';
const NOT_HERE = 'You cannot pay on this page';

/** What the button says at the moment of the press. */
async function press(button) {
  const says = (await button.innerText()).replace(/\s+/g, ' ');
  await button.click();
  return says;
}

scenario('w. a translated page, and the amount changes: figure, total and button say what is charged', async (world) => {
  const stack = await world.ownStack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack);
  await page.goto(address);
  await offer.ready();
  await translate(offer.element);
  await sim.setPrice('prod_complete_bundle', 19900);
  await offer.accept();
  await expectText(offer.element, 'The amount has changed', money(12900), money(19900));
  for (const says of [offer.figure, offer.acceptButton, offer.element.locator('[part~="total"]')]) {
    await expectText(says, money(19900));
  }
  await world.shot(page, '1-changed');
  assert.equal((await sim.chargingPosts(buyer)).length, 0, 'nothing was even tried');

  // The translator comes along once more.
  await translate(offer.element);
  await offer.ready();
  assert.match(await press(offer.acceptButton), /\$199\.00/);
  await offer.receiptShows(money(19900));
  await world.shot(page, '2-receipt');
  await sim.mustHaveCharged(buyer, 'one_click', [19900]);
});

scenario('w. a translated dialog, the timing put off and switched back: the button says what is charged at once', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, plans, address } = await visitPlans(world, stack);
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  await translate(plans.element);
  await plans.when('On the next billing date');
  await expectText(plans.confirmButton, 'nothing to pay now');
  await translate(plans.element);
  await plans.when('At once');
  await expectText(plans.confirmButton, money(5000));
  await plans.dialogShows('The change takes effect at once.');
  await plans.ready();
  await world.shot(page, '1-switched-back');
  // A keyboard is still where it was.
  assert.equal(await page.evaluate(() => document.activeElement.shadowRoot.activeElement.value), 'now');

  assert.match(await press(plans.confirmButton), /\$50\.00/);
  await plans.receiptShows(money(5000));
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
});

scenario('w. an extension rewrites every number: nothing is charged, and the proxy’s own page is offered', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { profile });
  await page.goto(address);
  await offer.ready();
  await rewriteNumbers(offer.element);
  await offer.accept();
  await expectText(offer.element, ALTERED);
  await world.shot(page, '1-once');
  await offer.accept();
  await expectText(offer.element, NOT_HERE, 'Nothing was sent');
  await world.shot(page, '2-twice');
  assert.equal((await lastEvent(page, 'upsell-failed')).code, 'altered');
  assert.equal(profile.requestsTo(/\/accept$/).length, 0, 'nothing left the browser');

  await offer.element.getByRole('button', { name: 'Open that page' }).click();
  await page.waitForURL(`${stack.proxy.url}/upgrade/**`);
  const own = new Offer(page, page.locator('#app'));
  await own.accept();
  await own.receiptShows(money(12900));
  await world.shot(page, '3-own-page');
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('w. an extension rewrites every number in the dialog: the plan is changed on the proxy’s own page', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, plans, address } = await visitPlans(world, stack);
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  await rewriteNumbers(plans.element);
  await plans.confirm();
  await plans.dialogShows(ALTERED);
  await world.shot(page, '1-once');
  await plans.confirm();
  await plans.dialogShows(NOT_HERE);
  await world.shot(page, '2-twice');
  assert.equal((await sim.chargingPosts(buyer)).length, 0);

  await plans.dialog.getByRole('button', { name: 'Open that page' }).click();
  await page.waitForURL(`${stack.proxy.url}/upgrade/**`);
  const own = new Plans(page, page.locator('#app'));
  await own.shown();
  await own.preview('Pro');
  await own.confirm();
  await own.receiptShows(money(5000));
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
});

scenario('w. an extension rewrites every number on the proxy’s own page: it says what would help, and charges nothing', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, token, page } = await visitOffer(world, stack);
  await page.goto(`${stack.proxy.url}/upgrade/?view=offer#token=${token}`);
  const own = new Offer(page, page.locator('#app'));
  await own.ready();
  await rewriteNumbers(own.element);
  await own.accept();
  await expectText(own.element, ALTERED);
  await own.accept();
  await expectText(own.element, NOT_HERE, 'load the page again');
  assert.equal(await own.element.getByRole('button', { name: 'Open that page' }).count(), 0);
  assert.equal((await sim.chargingPosts(buyer)).length, 0);
});

scenario('w. an extension rewrites every number, and the backend has no page of its own: nothing is charged', async (world) => {
  const stack = await world.stack();
  const { sim, proxy, pages } = stack;
  const buyer = await sim.buyer();
  const product = { id: 'prod_complete_bundle', name: 'Complete bundle', price: 12900, currency: 'USD' };
  const backend = await GuideBackend.start({ sim, apiKey: stack.apiKey, buyer, style: 'snake_case', product });
  world.onClose(() => backend.stop());
  const page = await world.page();
  await page.goto(pages.publish({ head: tag(proxy), body: `<upsell-offer endpoint="${backend.endpoint}"></upsell-offer>` }));
  const offer = new Offer(page);
  await offer.ready();
  await rewriteNumbers(offer.element);
  await offer.accept();
  await expectText(offer.element, ALTERED);
  await offer.accept();
  await expectText(offer.element, NOT_HERE, 'load the page again');
  await world.shot(page, 'twice');
  assert.equal(backend.accepts.length, 0);
  // It was not bought and not refused: without the extension it is there again.
  await page.reload();
  await offer.accept();
  await expectText(offer.element, 'The shop has your order');
  assert.equal(backend.accepts.length, 1);
});
