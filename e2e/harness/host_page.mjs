// What a merchant cares about: that their page is as it was.

import assert from 'node:assert/strict';
import { until } from './until.mjs';
import { FOOTER, HEADING } from './merchant_pages.mjs';

/** The merchant's own words stand where they stood, nothing covers them, and nothing sticks out of the page. */
export async function hostPageIsWhole(page) {
  const heading = page.getByRole('heading', { name: HEADING });
  const footer = page.getByText(FOOTER);
  await heading.waitFor();
  await footer.waitFor();
  for (const [what, locator] of [['heading', heading], ['footer', footer]]) {
    await locator.scrollIntoViewIfNeeded();
    const uncovered = await locator.evaluate((element) => {
      const box = element.getBoundingClientRect();
      return document.elementFromPoint(box.left + 5, box.top + box.height / 2) === element;
    });
    assert.ok(uncovered, `the page's ${what} is not covered`);
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
  assert.equal(await page.evaluate(() => window.pwned), undefined, 'no foreign script ran');
}

/** Nothing in the element still turns, loads or pays: in the widget's words an ellipsis at the end means waiting. */
export async function calm(element, { within }) {
  await until(
    'the element to be calm',
    () => element.evaluateAll((hosts) => hosts.every((host) => {
      const parts = [...(host.shadowRoot?.querySelectorAll('*') ?? [])];
      return parts.every((part) => part.ariaBusy !== 'true' && !(part.childElementCount === 0 && /…$/.test(part.textContent.trim())));
    })),
    { within },
  );
}
