// Elements of a page that are looked up again at each use, with the methods of Playwright's `Locator`.

import { Key } from 'selenium-webdriver';
import { until } from '../../until.mjs';
import { findAll, wanted } from './find.mjs';

export class Locator {
  #page;
  #steps;

  constructor(page, steps) {
    this.#page = page;
    this.#steps = steps;
  }

  get steps() {
    return this.#steps;
  }

  page() {
    return this.#page;
  }

  #then(...steps) {
    return new Locator(this.#page, [...this.#steps, ...steps]);
  }

  locator(css) {
    return this.#then({ css });
  }

  getByRole(role, { name, exact } = {}) {
    return this.#then(name === undefined ? { role } : { role, name: wanted(name, exact) });
  }

  getByText(text, { exact } = {}) {
    return this.#then({ text: wanted(text, exact) });
  }

  filter({ hasText, has }) {
    return this.#then(...(hasText === undefined ? [] : [{ hasText: wanted(hasText) }]), ...(has ? [{ has: has.steps }] : []));
  }

  nth(nth) {
    return this.#then({ nth });
  }

  first() {
    return this.nth(0);
  }

  last() {
    return this.nth(-1);
  }

  /** `body(elements, argument)` in the page, with all elements there are now. */
  evaluateAll(body, argument) {
    return this.#page.run(`(${body})((${findAll})(arguments[0]), arguments[1])`, this.#steps, argument);
  }

  /** `body(element, argument)` in the page, once there is an element. */
  async evaluate(body, argument) {
    await this.waitFor({ state: 'attached' });
    return this.#page.run(`(${body})((${findAll})(arguments[0])[0], arguments[1])`, this.#steps, argument);
  }

  /** The element as WebDriver names it, once there is one. */
  async elementHandle() {
    const element = await this.evaluate((found) => found);
    return Object.assign(element, {
      evaluate: (body, argument) => this.#page.run(`(${body})(arguments[0], arguments[1])`, element, argument),
      // The set has no scenario in a frame.
      ownerFrame: async () => this.#page,
    });
  }

  count() {
    return this.evaluateAll((elements) => elements.length);
  }

  /** Waits until the first element is `visible`, `attached`, or `hidden`: there and not visible, or not there. */
  waitFor({ state = 'visible', timeout } = {}) {
    const how = `${state} ${JSON.stringify(this.#steps)}`;
    const first = [...this.#steps, { nth: 0 }];
    const wantedSteps = state === 'attached' ? first : [...first, { visible: true }];
    return until(how, async () => {
      const found = await this.#page.run(`(${findAll})(arguments[0]).length > 0`, wantedSteps);
      return found === (state !== 'hidden');
    }, { within: timeout ?? this.#page.timeout });
  }

  innerText() {
    return this.evaluate((element) => element.innerText);
  }

  inputValue() {
    return this.evaluate((element) => element.value);
  }

  focus() {
    return this.evaluate((element) => element.focus());
  }

  scrollIntoViewIfNeeded() {
    return this.evaluate((element) => element.scrollIntoView({ block: 'nearest' }));
  }

  boundingBox() {
    return this.evaluate((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x, y, width, height };
    });
  }

  /** Waits until it can be pressed, and gives the element. */
  async #pressable() {
    await this.waitFor();
    await until('the element to be enabled', () => this.evaluate((element) => !element.disabled && element.getAttribute('aria-disabled') !== 'true'), { within: this.#page.timeout });
    await this.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    return this.elementHandle();
  }

  async click() {
    const element = await this.#pressable();
    await this.#page.drive((session) => session.actions().move({ origin: element }).click().perform());
  }

  async dblclick() {
    const element = await this.#pressable();
    await this.#page.drive((session) => session.actions().move({ origin: element }).press().release().press().release().perform());
  }

  async fill(text) {
    const element = await this.#pressable();
    await this.#page.drive(async () => {
      await element.clear();
      await element.sendKeys(text);
    });
  }

  async check() {
    if (!(await this.evaluate((element) => element.checked))) await this.click();
  }

  selectOption(value) {
    return this.evaluate((element, chosen) => {
      element.value = chosen;
      element.dispatchEvent(new Event('change', { bubbles: true }));
    }, value);
  }
}

/** Playwright's names of keys, where WebDriver has codes for them. */
const KEYS = { Tab: Key.TAB, Enter: Key.ENTER, Escape: Key.ESCAPE, Space: ' ', Shift: Key.SHIFT };

export class Keyboard {
  #page;

  constructor(page) {
    this.#page = page;
  }

  /** Presses and lets go a key, or several that are joined by "+". */
  press(keys) {
    const codes = keys.split('+').map((key) => KEYS[key] ?? key);
    return this.#page.drive((session) => {
      const actions = session.actions();
      for (const code of codes) actions.keyDown(code);
      for (const code of codes.reverse()) actions.keyUp(code);
      return actions.perform();
    });
  }
}
