import assert from 'node:assert/strict';
import { CARDS } from '../harness/cards.mjs';
import { mustBeAccessible } from '../harness/axe.mjs';
import { expectText } from '../harness/expect.mjs';
import { LOOKS, fitsItsBox, look } from '../harness/looks.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

// Every state a buyer meets, in every look: kept as pictures for people, checked here for what a program can see.

for (const { name, phone, dark, dir = 'ltr', lang = 'en' } of LOOKS) {
  scenario(`o. ${name}: offer and receipt`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ phone, dark });
    const { page, address, offer } = await visitOffer(world, stack, { profile, dir, lang });
    await page.goto(address);
    await offer.shown();
    const [accept, decline] = await Promise.all([offer.acceptButton.boundingBox(), offer.declineButton.boundingBox()]);
    assert.ok(Math.abs(accept.height - decline.height) < 1, 'both buttons are equally high');
    assert.ok(Math.abs(accept.width - decline.width) < 1, 'both buttons are equally wide');
    assert.ok(accept.height >= 44, 'large enough for a thumb');
    const { width } = await offer.element.boundingBox();
    assert.ok(width <= 34 * 16, `never wider than 34 rem, but ${width}`);
    await look(world, page, offer.element, 'offer');
    await offer.accept();
    await offer.receipt.waitFor();
    await look(world, page, offer.element, 'receipt');
  });

  scenario(`o. ${name}: upgrade offer with its difference first`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ phone, dark });
    const { sim, proxy, pages } = stack;
    const buyer = await sim.buyer();
    await sim.subscription(buyer, 'prod_basic_plan');
    const page = await profile.page();
    const offer = new Offer(page);
    await page.goto(pages.offer(proxy, await proxy.session(buyer, { signed_in: true }), { dir, lang }));
    await offer.shown();
    await look(world, page, offer.element, 'offer');
  });

  scenario(`o. ${name}: a refused card`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ phone, dark });
    const { page, address, offer } = await visitOffer(world, stack, { profile, cards: [CARDS.failsLater], dir, lang });
    await page.goto(address);
    await offer.accept();
    await expectText(offer.element, lang === 'ja' ? 'お支払いができませんでした' : 'did not go through');
    await look(world, page, offer.element, 'refused');
  });

  scenario(`o. ${name}: plans, dialog and receipt`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ phone, dark });
    const { page, address, plans } = await visitPlans(world, stack, { profile, dir, lang });
    await page.goto(address);
    await plans.shown();
    await look(world, page, plans.element, 'plans');
    await plans.preview('Pro', lang);
    await fitsItsBox(plans.element);
    await world.shot(page, 'dialog', { fullPage: false });
    await mustBeAccessible(page);
    await plans.confirm();
    await plans.receipt.first().waitFor();
    await fitsItsBox(plans.element);
    await world.shot(page, 'receipt', { fullPage: false });
    await mustBeAccessible(page);
  });

  scenario(`o. ${name}: add-ons, a review with a line below zero, and seats`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ phone, dark });
    const { page, address, plans } = await visitPlans(world, stack, { profile, dir, lang, product: 'prod_pro_plan' });
    const keep = async (step) => {
      await fitsItsBox(plans.element);
      await world.shot(page, step, { fullPage: false });
    };
    await page.goto(address);
    await plans.shown();
    await look(world, page, plans.element, 'plans');
    await plans.adjust(lang);
    await keep('addons');
    await mustBeAccessible(page);
    await page.keyboard.press('Escape');

    await plans.preview('Basic', lang);
    const rows = await plans.quoteRows();
    assert.ok(rows.some((row) => /−\$80\.00$/.test(row)), rows.join('; '));
    await keep('review');
    await mustBeAccessible(page);
    const links = plans.dialog.locator('[part~="link"]');
    await plans.dialog.evaluate((dialog) => dialog.scrollTo(0, dialog.scrollHeight));
    await keep('review-end');
    await links.first().click();
    await plans.dialog.getByRole('textbox').first().waitFor();
    await keep('seats');
    await mustBeAccessible(page);
  });
}
