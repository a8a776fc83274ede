import assert from 'node:assert/strict';
import { CARDS, refused } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { payOnHostedPage } from '../harness/shop.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';
import { lastEvent } from '../harness/world.mjs';

// Every way in which a charge can end, as the buyer reads it; and what the ledger says to it.

const LATER = 'It may work later, or with another card.';
const OTHER = 'Please use another card.';

/** Dodo's word, the widget's word, what the buyer reads, and what that must not give away. */
const REFUSALS = [
  { end: 'soft, not enough money', card: refused('INSUFFICIENT_FUNDS'), code: 'insufficient_funds', says: ['There is not enough money on the card.', LATER] },
  { end: 'soft, over the limit', card: refused('CARD_VELOCITY_EXCEEDED'), code: 'limit_exceeded', says: ["The amount is over the card's limit.", LATER] },
  { end: 'soft, the bank cannot answer', card: refused('TRY_AGAIN_LATER'), code: 'processing_error', says: ['Something went wrong on the way to your bank.', LATER] },
  { end: 'hard', card: refused('DO_NOT_HONOR'), code: 'declined', says: ['Your bank declined the card.', OTHER] },
  { end: 'stolen', card: refused('STOLEN_CARD'), code: 'declined', says: ['Your bank declined the card.', OTHER], hides: /stolen|lost|fraud/i },
  { end: 'expired', card: refused('EXPIRED_CARD'), code: 'expired_card', says: ['The card has expired.', OTHER] },
  { end: 'not authenticated', card: refused('AUTHENTICATION_FAILURE'), code: 'authentication_failed', says: ['Your bank could not confirm that it was you.'] },
  { end: 'wrong currency', card: CARDS.euro, code: 'wrong_currency', says: ['The saved card cannot pay in this currency.', OTHER] },
  { end: 'not reusable', card: refused('MANDATE_REQUIRED'), code: 'method_not_reusable', says: ['The saved card is not approved for further payments.', OTHER] },
];

/** What stands on the buttons. */
function buttons(element) {
  return element.getByRole('button').allTextContents();
}

/** Every request that opened or charged a checkout of this buyer's. */
async function checkouts(sim, buyer) {
  const { posts } = await sim.ledger();
  return posts.filter((post) => post.path === '/checkouts' && JSON.stringify(post.body).includes(buyer.customer_id));
}

for (const { end, card, code, says, hides } of REFUSALS) {
  scenario(`f. outcome, ${end}: its own words, one way on, one request, nothing collected`, async (world) => {
    const stack = await world.stack();
    const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards: [card] });
    await page.goto(address);
    await offer.accept();
    await expectText(offer.element, 'The payment did not go through', 'Nothing was charged.', ...says);
    assert.deepEqual(await buttons(offer.element), ['Pay another way', 'Close']);
    assert.equal((await lastEvent(page, 'upsell-failed')).code, code);
    if (hides) assert.doesNotMatch(await offer.text(), hides);
    await world.shot(page, 'refused');
    assert.equal((await checkouts(sim, buyer)).length, 1, 'no second checkout before the buyer asks for one');
    assert.deepEqual(await sim.charges(buyer, { source: 'one_click', status: 'succeeded' }), []);

    await offer.element.getByRole('button', { name: 'Close' }).click();
    await offer.gone();
    assert.equal((await checkouts(sim, buyer)).length, 1);
  });
}

scenario('f. outcome, wrong currency: paid with another card on the hosted page, once', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards: [CARDS.euro] });
  await page.goto(address);
  await offer.accept();
  await offer.element.getByRole('button', { name: 'Pay another way' }).click();
  await page.waitForURL(`${sim.url}/session/**`);
  await payOnHostedPage(page, CARDS.mastercard);
  await until('the proxy to know', async () => (await stack.proxy.offerFor(buyer)).reason === 'accepted');
  await page.goto(address);
  await new Offer(page).receiptShows(money(12900));
  await sim.mustHaveCharged(buyer, 'hosted', [4900, 12900]);
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click', status: 'succeeded' }), []);
});

scenario('f. outcome, processing: no button, the buyer may leave, and the receipt comes by itself', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards: [CARDS.takesTime] });
  await page.goto(address);
  await offer.accept();
  await expectText(offer.element, 'Your payment is being confirmed', 'You can leave this page', 'you will not be charged twice');
  assert.deepEqual(await buttons(offer.element), []);
  await world.shot(page, 'processing');
  const [waiting] = await sim.waitingPayments(buyer, stack.apiKey);
  await sim.resolve(waiting.payment_id, { status: 'succeeded' });
  await offer.receiptShows(money(12900), waiting.payment_id);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
  assert.equal((await checkouts(sim, buyer)).length, 1);
});

scenario('f. outcome, in doubt: never "failed", not charged twice, may leave; then what is found out', async (world) => {
  for (const end of ['succeeded', 'failed']) {
    const stack = await world.ownStack();
    const { sim, buyer, page, offer, address } = await visitOffer(world, stack, {
      cards: [end === 'succeeded' ? CARDS.good : CARDS.failsLater],
    });
    await page.goto(address);
    await offer.ready();
    // The charge is made and its answer lost; nothing tells of it until later.
    await sim.webhookPolicy({ paused: true });
    await sim.policy({ payments_list_lag_seconds: 100_000 });
    await sim.fault({ method: 'POST', path: '/checkouts', kind: 'reset_after', times: 1 });
    await offer.acceptButton.click();
    await expectText(offer.element, 'We are checking your payment', 'You can leave this page', 'you will not be charged twice');
    assert.doesNotMatch(await offer.text(), /fail|did not|try again|Nothing was charged/i);
    assert.deepEqual(await buttons(offer.element), []);
    await world.shot(page, `${end}-1-in-doubt`);
    assert.equal((await stack.proxy.offerFor(buyer)).reason, 'in_progress', 'nothing else can be begun');

    // The buyer leaves and comes back: it is still asked about, and only asked about.
    await page.goto(address);
    await expectText(new Offer(page).element, 'We are checking your payment');
    await sim.webhookPolicy({ paused: false });
    await sim.flushWebhooks();
    if (end === 'succeeded') await new Offer(page).receiptShows(money(12900));
    else await expectText(new Offer(page).element, 'The payment did not go through', 'Nothing was charged.');
    await world.shot(page, `${end}-2-known`);
    if (end === 'failed') {
      // This page has not shown an amount: the offer comes back with it, on the way to the hosted page.
      await new Offer(page).element.getByRole('button', { name: 'Pay another way' }).click();
      await expectText(new Offer(page).acceptButton, 'Continue to checkout', money(12900));
    }
    await sim.mustHaveCharged(buyer, 'one_click', end === 'succeeded' ? [12900] : []);
    assert.equal((await checkouts(sim, buyer)).length, 1, 'one request in all');
  }
});

scenario('f. outcome, the bank asks for the buyer: its page leads on, no second payment is opened', async (world) => {
  const stack = await world.ownStack();
  await stack.sim.policy({ challenge_payment_link: true });
  for (const answer of ['approve', 'refuse']) {
    const { sim, buyer, page, offer, address } = await visitOffer(world, stack, { cards: [CARDS.challenge] });
    await page.goto(address);
    await offer.accept();
    await expectText(offer.element, 'Your bank wants you to confirm', 'Until then nothing is charged');
    assert.deepEqual(await buttons(offer.element), ['Continue to the confirmation']);
    assert.equal((await lastEvent(page, 'upsell-pending')).status, 'requires_customer_action');
    await world.shot(page, `${answer}-1-waiting`);

    await offer.element.getByRole('button', { name: 'Continue to the confirmation' }).click();
    await page.waitForURL(`${sim.url}/challenge/**`);
    assert.equal((await checkouts(sim, buyer)).length, 1, 'the page is of the payment that was begun');
    await page.locator(`button[value="${answer}"]`).click();
    await until('the proxy to know', async () => (await stack.proxy.offerFor(buyer)).reason !== 'in_progress');
    await page.goto(address);
    const back = new Offer(page);
    if (answer === 'approve') {
      await back.receiptShows(money(12900));
      await sim.mustHaveCharged(buyer, 'one_click', [12900]);
    } else {
      // Nothing was collected, so that another way is open now, and not before.
      await expectText(back.acceptButton, 'Continue to checkout');
      await back.accept();
      await page.waitForURL(`${sim.url}/session/**`);
      await payOnHostedPage(page, CARDS.good);
      await until('the proxy to know', async () => (await stack.proxy.offerFor(buyer)).reason === 'accepted');
      await sim.mustHaveCharged(buyer, 'hosted', [4900, 12900]);
      assert.deepEqual(await sim.charges(buyer, { source: 'one_click', status: 'succeeded' }), []);
    }
    assert.equal((await sim.chargingPosts(buyer)).length, 1);
  }
});

const CHANGES = [
  { end: 'soft', card: refused('INSUFFICIENT_FUNDS'), says: ['There is not enough money on the card.', LATER], on: ['Use another card', 'Back'] },
  { end: 'hard', card: refused('LOST_CARD'), says: ['Your bank declined the card.', OTHER], on: ['Use another card', 'Back'] },
  { end: 'expired', card: refused('EXPIRED_CARD'), says: ['The card has expired.', OTHER], on: ['Use another card', 'Back'] },
  { end: 'not reusable', card: refused('MANDATE_INVALID'), says: ['The saved card is not approved for further payments.', OTHER], on: ['Use another card', 'Back'] },
  { end: 'not about the card', card: refused('NETWORK_ERROR'), says: ['Something went wrong on the way to your bank.'], on: ['Back'] },
];

for (const { end, card, says, on } of CHANGES) {
  scenario(`f. outcome of a plan change, ${end}: the plan stays, its own words, another card where that helps`, async (world) => {
    const stack = await world.stack();
    const { sim, buyer, page, plans, address, subscription } = await visitPlans(world, stack, { cards: [card] });
    await page.goto(address);
    await plans.preview('Pro');
    await plans.confirm();
    await plans.dialogShows('Your plan was not changed', 'Nothing was charged.', ...says);
    assert.deepEqual(await buttons(plans.dialog), on);
    await world.shot(page, 'refused', { fullPage: false });
    assert.equal((await sim.chargingPosts(buyer)).length, 1);
    assert.deepEqual(await sim.charges(buyer, { source: 'plan_change', status: 'succeeded' }), []);
    const { product_id: plan } = await sim.subscriptionNow(subscription.subscription_id, stack.apiKey);
    assert.equal(plan, 'prod_basic_plan');

    if (on.includes('Use another card')) {
      await plans.dialog.getByRole('button', { name: 'Use another card' }).click();
      await page.waitForURL(`${sim.url}/session/**`);
    } else {
      await plans.dialog.getByRole('button', { name: 'Back' }).click();
      await plans.changeButton('Pro').waitFor();
    }
    assert.equal((await sim.chargingPosts(buyer)).length, 1, 'nothing was tried again');
  });
}
