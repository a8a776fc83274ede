// Assertions about what stands on a page, that wait for it.

import { until } from './until.mjs';

/** What a person reads in each element; of a custom element, what is in its shadow tree. */
export function readTexts(locator) {
  return locator.evaluateAll((elements) =>
    elements.map((element) =>
      element.shadowRoot ? [...element.shadowRoot.children].map((child) => child.innerText ?? '').join('\n') : element.innerText));
}

/** The rows of a list of amounts as a person reads them, each in one line: "To pay now $25.00". */
export function readRows(list) {
  return list.locator('dt').evaluateAll((terms) =>
    terms.map((term) => [term, term.nextElementSibling].map((part) => part.innerText.replace(/\s+/g, ' ')).join(' ')));
}

/** Waits until the locator's text holds every one of the texts (strings or patterns). */
export async function expectText(locator, ...texts) {
  await locator.first().waitFor({ state: 'attached' });
  for (const wanted of texts) {
    await until(`the text ${wanted}`, async () => {
      const text = (await readTexts(locator)).join('\n');
      const there = wanted instanceof RegExp ? wanted.test(text) : text.includes(wanted);
      if (!there) throw new Error(`the text was: ${text}`);
      return true;
    });
  }
}

/** Waits until exactly this element, in whatever shadow tree, has the keyboard focus. */
export async function expectFocus(locator) {
  await until('the focus', () =>
    locator.evaluate((element) => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active === element;
    }),
  );
}
