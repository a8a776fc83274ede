// The plan comparison and its dialog as a subscriber uses them: the only file that knows their parts.

import { armed } from './armed.mjs';
import { expectText, readRows, readTexts } from './expect.mjs';

export class Plans {
  constructor(page, element = page.locator('upsell-plans')) {
    this.page = page;
    this.element = element;
    const part = (name) => element.locator(`[part~="${name}"]`);
    this.plans = part('plan');
    this.current = this.plans.filter({ hasText: /Your plan|現在のプラン/ });
    this.dialog = element.getByRole('dialog');
    this.confirmButton = this.dialog.locator('[part~="accept"]');
    this.receipt = part('receipt');
  }

  /** One plan's card. */
  plan(name) {
    return this.plans.filter({ has: this.page.getByRole('heading', { name, exact: true }) });
  }

  changeButton(name, lang = 'en') {
    const words = { en: `Change to ${name}`, ja: `${name}に変更する` };
    return this.element.getByRole('button', { name: words[lang], exact: true });
  }

  async shown() {
    await this.plans.first().waitFor();
  }

  /** Picks a plan and waits for its preview. */
  async preview(name, lang) {
    await this.changeButton(name, lang).click();
    await this.confirmButton.waitFor();
  }

  /** Waits until the change can be confirmed: a press in the dialog's first half second does not count. */
  async ready() {
    await this.confirmButton.waitFor();
    await armed(this.confirmButton);
  }

  async confirm() {
    await this.ready();
    await this.confirmButton.click();
  }

  /** Opens the form for seats and add-ons of the plan that the subscriber has. */
  async adjust(lang = 'en') {
    const words = { en: 'Change seats or add-ons', ja: '席数やアドオンを変更' };
    await this.current.getByRole('button', { name: words[lang], exact: true }).click();
    await this.dialog.getByRole('textbox').first().waitFor();
  }

  /** Chooses when the change is to be made, in the open dialog. */
  when(words) {
    return this.dialog.getByRole('radio', { name: words }).check();
  }

  /** What stands on the button that confirms; the widget's hard spaces as plain ones. */
  async confirmSays() {
    await this.ready();
    return (await this.confirmButton.innerText()).replace(/\s+/g, ' ').trim();
  }

  /** Every line of what is charged, as in the open dialog. */
  quoteRows() {
    return readRows(this.dialog.locator('[part~="summary"]'));
  }

  /** Every line of the receipt. */
  async receiptRows() {
    await this.receipt.first().waitFor();
    return readRows(this.receipt);
  }

  /** What the whole element says, as read. */
  async text() {
    return (await readTexts(this.element)).join('\n');
  }

  receiptShows(...texts) {
    return expectText(this.receipt, ...texts);
  }

  dialogShows(...texts) {
    return expectText(this.dialog, ...texts);
  }
}
