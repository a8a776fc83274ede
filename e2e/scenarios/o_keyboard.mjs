import assert from 'node:assert/strict';
import { expectFocus, expectText } from '../harness/expect.mjs';
import { money } from '../harness/money.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

/** Presses Tab until the locator's element has the focus. */
async function tabTo(page, locator, { most = 30 } = {}) {
  const wanted = await locator.elementHandle();
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press('Tab');
    const there = await wanted.evaluate((element) => element.getRootNode().activeElement === element);
    if (there) return;
  }
  throw new Error(`${most} times Tab did not reach it`);
}

scenario('o. keyboard only: reaches the offer, accepts, and hears the receipt', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, offer, address } = await visitOffer(world, stack);
  await page.goto(address);
  await offer.ready();
  await tabTo(page, offer.acceptButton);
  await world.shot(page, '1-focus');
  await page.keyboard.press('Enter');
  await offer.receiptShows(money(12900));
  await expectText(offer.element.locator('[aria-live], [role=status]'), /Paid|Thank you/);
  await sim.mustHaveCharged(buyer, 'one_click', [12900]);
});

scenario('o. keyboard only: declines', async (world) => {
  const stack = await world.stack();
  const { page, offer, address } = await visitOffer(world, stack, { product: 'prod_single_license' });
  await page.goto(address);
  await offer.ready();
  await tabTo(page, offer.declineButton);
  await page.keyboard.press('Space');
  await offer.gone();
});

scenario('o. keyboard only: changes the plan; focus goes into the dialog and back', async (world) => {
  const stack = await world.stack();
  const { sim, buyer, page, plans, address } = await visitPlans(world, stack);
  await page.goto(address);
  await plans.shown();
  const opener = plans.changeButton('Pro');
  await tabTo(page, opener);
  await page.keyboard.press('Enter');
  await plans.confirmButton.waitFor();
  const inside = () => plans.dialog.evaluate((dialog) => dialog.contains(dialog.getRootNode().activeElement));
  assert.ok(await inside(), 'the focus is in the dialog');
  assert.ok(
    await plans.confirmButton.evaluate((button) => button.getRootNode().activeElement !== button),
    'and not on the button that pays',
  );
  await world.shot(page, '1-dialog', { fullPage: false });

  // A modal keeps the focus: the browser's own chrome may have it for one step, the page behind never.
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press('Tab');
    const behind = await plans.dialog.evaluate((dialog) => {
      const active = dialog.getRootNode().activeElement;
      return active !== null && !dialog.contains(active);
    });
    assert.ok(!behind, 'the focus stays out of the page behind');
  }
  await page.keyboard.press('Escape');
  await plans.dialog.waitFor({ state: 'hidden' });
  await expectFocus(opener);

  await page.keyboard.press('Enter');
  await plans.confirmButton.waitFor();
  await plans.ready();
  await tabTo(page, plans.confirmButton);
  await page.keyboard.press('Enter');
  await plans.receiptShows(money(5000));
  await sim.mustHaveCharged(buyer, 'plan_change', [5000]);
});

scenario('o. nothing moves when the buyer asked for no motion', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ reducedMotion: 'reduce' });
  const { page, plans, address } = await visitPlans(world, stack, { profile });
  await page.goto(address);
  await plans.shown();
  await plans.preview('Pro');
  const moving = await page.evaluate(() => document.getAnimations().filter((animation) => animation.playState === 'running').length);
  assert.equal(moving, 0);
});

scenario('o. a phone with a keyboard: a link in the review that has the focus is not under the buttons', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile({ phone: true });
  const { page, plans, address } = await visitPlans(world, stack, { profile, product: 'prod_pro_plan' });
  await page.goto(address);
  await plans.shown();
  await plans.preview('Basic');
  const link = plans.dialog.getByRole('button', { name: 'Use another card' });
  await link.focus();
  await world.shot(page, '1-focus', { fullPage: false });
  const seen = await link.evaluate((element) => {
    const box = element.getBoundingClientRect();
    return element.getRootNode().elementFromPoint(box.left + box.width / 2, box.top + box.height / 2) === element;
  });
  assert.ok(seen, 'the focus can be seen');
});
