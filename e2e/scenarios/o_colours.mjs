import assert from 'node:assert/strict';
import { backgroundAlpha, contrasts } from '../harness/colours.mjs';
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
    const page = { profile, attributes: `theme="${dark ? 'dark' : 'light'}"` };
    const bought = await visitOffer(world, stack, page);
    await bought.page.goto(bought.address);
    await bought.offer.shown();
    await mustBeReadable(bought.offer.element);
    assert.equal(await backgroundAlpha(bought.offer.acceptButton), 1, 'the button that pays has a colour');
    await world.shot(bought.page, 'offer');

    const subscribed = await visitPlans(world, stack, page);
    await subscribed.page.goto(subscribed.address);
    await subscribed.plans.shown();
    await mustBeReadable(subscribed.plans.element);
    await subscribed.plans.preview('Pro');
    assert.equal(await backgroundAlpha(subscribed.plans.dialog), 1, 'nothing of the page shows through the dialog');
    await mustBeReadable(subscribed.plans.dialog);
    await world.shot(subscribed.page, 'dialog', { fullPage: false });
  });
}
