// The demo shop and Dodo's hosted page as a buyer walks through them.

import { EXPIRY } from './cards.mjs';

export class Shop {
  constructor(url) {
    this.url = url;
  }

  /** Buys a product by name and pays on the hosted page; ends on the shop's thank-you page. */
  async buy(page, product, card) {
    await page.goto(this.url);
    await page.getByRole('button', { name: `Buy ${product}`, exact: true }).click();
    await payOnHostedPage(page, card);
    await page.waitForURL(`${this.url}/success**`);
  }
}

let walkIns = 0;

/** Fills what the hosted page does not know yet, and pays. Every buyer has an address of their own: Dodo tells buyers apart by it. Leaves the waiting for what follows to the caller. */
export async function payOnHostedPage(page, card) {
  await page.locator('#pay').waitFor();
  const fill = async (name, value) => {
    const field = page.locator(`input[name=${name}]:visible, select[name=${name}]:visible`);
    if ((await field.count()) === 0) return;
    if ((await field.evaluate((node) => node.tagName)) === 'SELECT') await field.selectOption(value);
    else if (!(await field.inputValue())) await field.fill(value);
  };
  walkIns += 1;
  await fill('email', `walk-in-${process.pid}-${walkIns}@example.test`);
  await fill('name', `Walk-in ${walkIns}`);
  await fill('country', 'US');
  await fill('zipcode', '94107');
  const another = page.getByRole('radio', { name: /another|new|different/i });
  if (await another.count()) await another.check();
  await fill('number', card.number);
  await fill('expiry', `${EXPIRY.expiry_month}/${EXPIRY.expiry_year % 100}`);
  await fill('cvc', '123');
  await page.locator('#pay').click();
}
