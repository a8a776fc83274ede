// The offer element as a buyer uses it: the only file that knows its parts.

import { armed } from './armed.mjs';
import { expectText, readTexts } from './expect.mjs';

export class Offer {
  constructor(page, element = page.locator('upsell-offer')) {
    this.page = page;
    this.element = element;
    const part = (name) => element.locator(`[part~="${name}"]`);
    this.figure = part('figure');
    this.acceptButton = part('accept');
    this.declineButton = part('decline');
    this.receipt = part('receipt');
  }

  /** Waits until the offer stands on the page. */
  shown() {
    return this.acceptButton.waitFor();
  }

  /** Waits until the offer can be accepted: a press in its first half second on the screen does not count. */
  async ready() {
    await this.shown();
    await this.acceptButton.scrollIntoViewIfNeeded();
    await armed(this.acceptButton);
  }

  async accept() {
    await this.ready();
    await this.acceptButton.click();
  }

  async decline() {
    await this.declineButton.click();
  }

  /** Waits until the element holds nothing that could be seen. */
  async gone() {
    await this.page.waitForFunction(
      (element) => !element || element.getBoundingClientRect().height === 0,
      (await this.element.count()) ? await this.element.elementHandle() : null,
    );
  }

  /** What the whole element says, as read. */
  async text() {
    return (await readTexts(this.element)).join('\n');
  }

  receiptShows(...texts) {
    return expectText(this.receipt, ...texts);
  }
}
