// The looks that every state is seen in, and what a program can check of a picture.

import assert from 'node:assert/strict';
import { mustBeAccessible } from './axe.mjs';
import { hostPageIsWhole } from './host_page.mjs';

export const LOOKS = [
  { name: 'phone-light', phone: true },
  { name: 'phone-dark', phone: true, dark: true },
  { name: 'desktop-light' },
  { name: 'desktop-dark', dark: true },
  { name: 'phone-rtl', phone: true, dir: 'rtl' },
  { name: 'desktop-rtl-dark', dark: true, dir: 'rtl' },
  { name: 'phone-ja', phone: true, lang: 'ja' },
  { name: 'desktop-ja-dark', dark: true, lang: 'ja' },
];

/** Checks the page as it stands, and keeps a picture of it. */
export async function look(world, page, element, step, axe) {
  await hostPageIsWhole(page);
  await fitsItsBox(element);
  await world.shot(page, step);
  await mustBeAccessible(page, axe);
}

/** No text is cut off or sticks out of the element, or of any of several. */
export async function fitsItsBox(element) {
  const cut = await element.evaluateAll((hosts) =>
    hosts.flatMap((host) => [...host.shadowRoot.querySelectorAll('*')])
      .filter((node) => node.clientWidth > 1 && node.scrollWidth > node.clientWidth + 1 && !node.closest('svg'))
      .map((node) => `${node.localName}.${node.className}: ${node.scrollWidth} in ${node.clientWidth}`));
  assert.deepEqual(cut, [], 'nothing is wider than its box');
}
