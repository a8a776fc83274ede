import assert from 'node:assert/strict';
import { expectText } from '../harness/expect.mjs';
import { hostPageIsWhole } from '../harness/host_page.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

// A browser that has no WebAssembly at all, such as Safari in Lockdown Mode.

scenario('k. a browser without WebAssembly: no offer, no link, another way for the plans', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ withoutWasm: true });
  const { page, token } = await visitOffer(world, stack, { profile });
  const subscribed = await visitPlans(world, stack, { page });
  await page.goto(stack.pages.publish({
    head: tag(stack.proxy),
    body: `<upsell-offer endpoint="${stack.proxy.url}/v1/upsell" token="${token}"></upsell-offer>
           <upsell-plans endpoint="${stack.proxy.url}/v1/plans" token="${subscribed.token}"></upsell-plans>`,
  }));
  const plans = page.locator('upsell-plans');
  await expectText(plans, 'cannot be shown in this browser', 'another browser');
  await until('a warning of each', () => profile.warnings.filter((text) => /no WebAssembly/.test(text)).length === 2);
  await world.shot(page, 'plans');
  await new Offer(page).gone();
  for (const element of [page.locator('upsell-offer'), plans]) {
    assert.equal(await element.getByRole('link').count(), 0, 'no link to a page that needs WebAssembly too');
  }
  assert.deepEqual(profile.requestsTo(/\/v1\/|\.wasm/), [], 'nothing is asked for');
  await hostPageIsWhole(page);
});

scenario('k. a browser without WebAssembly: the standalone page names another way and keeps no token in its address', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ withoutWasm: true });
  const { page, token } = await visitPlans(world, stack, { profile });
  await page.goto(`${stack.proxy.url}/upgrade/?view=plans#token=${token}`);
  const note = page.locator('#app [role=alert]');
  await expectText(note, 'cannot be shown in this browser', 'another browser');
  assert.doesNotMatch(await note.innerText(), /charged/, 'nothing about money');
  assert.equal(page.url(), `${stack.proxy.url}/upgrade/?view=plans`);
  await world.shot(page, 'note');
});
