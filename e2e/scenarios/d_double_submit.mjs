import assert from 'node:assert/strict';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer } from '../harness/visits.mjs';

async function openOffer(world, profile) {
  const opened = await visitOffer(world, await world.stack(), { profile });
  await opened.page.goto(opened.address);
  await opened.offer.ready();
  return opened;
}

async function mustBeChargedOnce({ sim, buyer, offer }) {
  await offer.receiptShows(money(12900));
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
  assert.equal((await sim.chargingPosts(buyer)).length, 1, 'one charging request reached Dodo');
}

scenario('d. a double click is one charge', async (world) => {
  const profile = await world.profile();
  const opened = await openOffer(world, profile);
  await opened.offer.acceptButton.dblclick({ delay: 0 });
  await mustBeChargedOnce(opened);
  assert.equal(profile.requestsTo(/\/v1\/upsell\/accept$/).length, 1, 'one accept left the browser');
  await world.shot(opened.page, 'receipt');
});

scenario('d. Enter held down is one charge', async (world) => {
  const profile = await world.profile();
  const opened = await openOffer(world, profile);
  await opened.offer.acceptButton.focus();
  // A key that is down and goes down again is what the browser calls a repeat.
  for (let i = 0; i < 20; i += 1) await opened.page.keyboard.down('Enter');
  await opened.page.keyboard.up('Enter');
  await mustBeChargedOnce(opened);
  assert.equal(profile.requestsTo(/\/v1\/upsell\/accept$/).length, 1, 'one accept left the browser');
});

scenario('d. Enter held down since before the offer appeared charges nothing', async (world) => {
  const profile = await world.profile();
  const opened = await openOffer(world, profile);
  await opened.page.keyboard.down('Enter');
  await opened.offer.acceptButton.focus();
  for (let i = 0; i < 20; i += 1) await opened.page.keyboard.down('Enter');
  await opened.page.keyboard.up('Enter');
  // The button still stands, and pressing it in earnest is the first accept.
  assert.equal(profile.requestsTo(/\/v1\/upsell\/accept$/).length, 0);
  await opened.offer.accept();
  await mustBeChargedOnce(opened);
});

scenario('d. the same offer accepted in two tabs at once is one charge', async (world) => {
  const profile = await world.profile();
  const opened = await openOffer(world, profile);
  const tab = await profile.page();
  await tab.goto(opened.address);
  const other = new Offer(tab);
  await other.ready();
  await Promise.all([opened.offer.acceptButton.click(), other.acceptButton.click()]);
  await mustBeChargedOnce(opened);
  await other.receiptShows(money(12900));
});

scenario('d. a click made by a script charges nothing', async (world) => {
  const profile = await world.profile();
  const opened = await openOffer(world, profile);
  await opened.offer.acceptButton.evaluate((button) => {
    button.click();
    button.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
  });
  assert.equal(profile.requestsTo(/\/v1\/upsell\/accept$/).length, 0);
  await opened.offer.accept();
  await mustBeChargedOnce(opened);
});
