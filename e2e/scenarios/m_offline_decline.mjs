import assert from 'node:assert/strict';
import { FAULTS } from '../harness/gateway.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer } from '../harness/visits.mjs';
import { events } from '../harness/world.mjs';

/** What is offered after it is followed by nothing when declined. */
const PRODUCT = 'prod_single_license';

scenario('m. declines while offline: hidden at once and ever after, and the proxy hears of it later', async (world) => {
  const stack = await world.stack();
  const { buyer, page, offer, address, token } = await visitOffer(world, stack, { product: PRODUCT, through: stack.gateway });
  const { proxy } = stack;
  await page.goto(address);
  await offer.shown();
  await page.context().setOffline(true);
  await offer.decline();
  await offer.gone();
  await world.shot(page, 'offline-gone');
  assert.ok((await events(page)).includes('upsell-declined'));

  // The element itself starts anew while the network is still away.
  await offer.element.evaluate((element) => {
    const parent = element.parentNode;
    element.remove();
    parent.append(element.cloneNode());
  });
  await until('the load to fail', async () => (await events(page)).includes('upsell-failed'));
  await offer.gone();
  assert.equal((await proxy.offerFor(buyer)).eligible, true, 'the proxy has not heard of it');

  // The page is back, the proxy is not.
  await page.context().setOffline(false);
  stack.gateway.break(token, 'GET', '/v1/upsell', FAULTS.reset());
  await page.goto(address);
  await until('the load to fail', async () => (await events(page)).includes('upsell-failed'));
  await offer.gone();
  stack.gateway.heal(token);

  // Everything is back: the proxy still offers it, the browser does not show it, and the refusal is delivered.
  await page.goto(address);
  await until('the decline at the proxy', async () => (await proxy.offerFor(buyer)).reason === 'declined');
  await new Offer(page).gone();
  assert.ok(!(await events(page)).includes('upsell-shown'));
});

scenario('m. storage that throws: the offer works, a decline hides it, the proxy remembers', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  await profile.context.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('not here', 'SecurityError');
        },
      });
    }
  });
  const { buyer, page, offer, address } = await visitOffer(world, stack, { product: PRODUCT, profile });
  await page.goto(address);
  await offer.shown();
  await offer.decline();
  await offer.gone();
  await until('the decline at the proxy', async () => (await stack.proxy.offerFor(buyer)).reason === 'declined');
  await page.goto(address);
  await page.waitForLoadState('networkidle');
  await new Offer(page).gone();
});

scenario('m. a decline outlives the page that sent it', async (world) => {
  const stack = await world.stack();
  const { buyer, page, offer, address } = await visitOffer(world, stack, { product: PRODUCT, through: stack.gateway });
  await page.goto(address);
  await offer.shown();
  await Promise.all([page.waitForURL('about:blank'), offer.declineButton.click().then(() => page.goto('about:blank'))]);
  await until('the decline at the proxy', async () => (await stack.proxy.offerFor(buyer)).reason === 'declined');
});
