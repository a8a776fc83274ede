import assert from 'node:assert/strict';
import { tag } from '../harness/merchant_pages.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

/** What moved without the buyer doing anything, as the browser measures it. */
async function shifts(page) {
  return page.evaluate(() => window.e2e.shifts.filter((shift) => !shift.afterInput));
}

/** How an entry names what is in a shadow tree. */
const INSIDE = '?';

const CALLS = /\/v1\/upsell/;

scenario('o. budget: two browser calls from load to paid', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const { page, offer, address } = await visitOffer(world, stack, { profile });
  await page.goto(address);
  await offer.accept();
  await offer.receiptShows(money(12900));
  const calls = profile.requestsTo(CALLS).map(({ method, url }) => `${method} ${new URL(url).pathname}`);
  // "seen" and polling are not on the way to paid.
  const onTheWay = calls.filter((call) => !/\/seen$|\/attempts\//.test(call));
  assert.deepEqual(onTheWay, ['GET /v1/upsell', 'POST /v1/upsell/accept']);
});

// The two ways of the documentation to have no layout shift: room reserved, or last in its column.
for (const [what, place] of [
  ['with room reserved', { head: '<style>upsell-offer, upsell-plans { display: block; min-block-size: 60rem }</style>' }],
  ['last in its column', { tail: '' }],
]) {
  scenario(`o. no layout shift ${what}: offer, receipt`, async (world) => {
    const stack = await world.stack();
    const { page, offer, address } = await visitOffer(world, stack, place);
    await page.goto(address);
    await offer.accept();
    await offer.receiptShows(money(12900));
    assert.deepEqual(await shifts(page), []);
  });

  scenario(`o. no layout shift ${what}: plans, dialog, receipt`, async (world) => {
    const stack = await world.stack();
    const { page, plans, address } = await visitPlans(world, stack, place);
    await page.goto(address);
    await plans.shown();
    await plans.preview('Pro');
    assert.deepEqual(await shifts(page), []);
    await plans.confirm();
    await plans.receiptShows(money(5000));
    // Behind the dialog the plans change places: the new one is the current one now. The page itself stays.
    const ofThePage = (await shifts(page)).filter((shift) => shift.nodes.some((node) => node !== INSIDE));
    assert.deepEqual(ofThePage, []);
  });
}

scenario('o. budget: nothing to show costs no byte of WebAssembly and moves nothing', async (world) => {
  const stack = await world.stack();
  const { sim, proxy, pages } = stack;
  const profile = await world.profile();
  const page = await profile.page();
  const buyer = await sim.buyer();
  const answered = page.waitForResponse(CALLS);
  await page.goto(pages.offer(proxy, await proxy.session(buyer)));
  const answer = await (await answered).json();
  assert.equal(answer.eligible, false);
  await page.waitForLoadState('networkidle');
  assert.deepEqual(profile.requestsTo(/\.wasm|upsell_(offer|plans)/), []);
  assert.deepEqual(await shifts(page), []);
});

scenario('o. budget: no call to Dodo when an offer is shown', async (world) => {
  const stack = await world.ownStack();
  const { sim, page, offer, address } = await visitOffer(world, stack);
  const before = (await sim.requests()).length;
  await page.goto(address);
  await offer.shown();
  assert.equal((await sim.requests()).length, before);
});

scenario('o. an offer is counted as seen only when it was', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const { page, offer, address } = await visitOffer(world, stack, { profile });
  await page.goto(address);
  await offer.shown();
  await until('the seen call', () => profile.requestsTo(/\/v1\/upsell\/seen$/).length === 1);

  const below = await visitOffer(world, stack, { profile });
  const tab = below.page;
  await tab.goto(stack.pages.publish({
    head: tag(stack.proxy),
    body: `<div style="height: 3000px"></div><upsell-offer endpoint="${stack.proxy.url}/v1/upsell" token="${below.token}"></upsell-offer>`,
  }));
  await below.offer.acceptButton.waitFor({ state: 'attached' });
  await tab.waitForLoadState('networkidle');
  assert.equal(profile.requestsTo(/\/v1\/upsell\/seen$/).length, 1, 'not seen yet');
  await below.offer.element.scrollIntoViewIfNeeded();
  await until('the seen call', () => profile.requestsTo(/\/v1\/upsell\/seen$/).length === 2);
});
