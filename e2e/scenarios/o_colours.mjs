import assert from 'node:assert/strict';
import { contrasts, isOpaque } from '../harness/colours.mjs';
import { scenario } from '../harness/runner.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

/** Least contrast of words, WCAG 2.2 AA. */
const LEAST = 4.5;

async function mustBeReadable(locator) {
  const words = await contrasts(locator);
  assert.ok(words.length > 3, 'there is something to read');
  assert.deepEqual(words.filter(({ contrast }) => contrast < LEAST), [], 'words that cannot be read');
}

for (const dark of [false, true]) {
  scenario(`o. colours in ${dark ? 'dark' : 'light'}: words can be read and the dialog is opaque`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile({ dark });
    const page = await profile.page();
    const attributes = `theme="${dark ? 'dark' : 'light'}"`;
    const { offer, address } = await visitOffer(world, stack, { page, attributes });
    await page.goto(address);
    await offer.shown();
    await mustBeReadable(offer.element);
    assert.ok(await isOpaque(offer.acceptButton), 'the button that pays has a colour');
    await world.shot(page, 'offer');

    const { plans, address: comparison } = await visitPlans(world, stack, { page, attributes });
    await page.goto(comparison);
    await plans.shown();
    await mustBeReadable(plans.element);
    await plans.preview('Pro');
    assert.ok(await isOpaque(plans.dialog), 'nothing of the page shows through the dialog');
    await mustBeReadable(plans.dialog);
    await world.shot(page, 'dialog', { fullPage: false });
  });
}
