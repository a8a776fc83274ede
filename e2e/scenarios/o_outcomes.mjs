import { CARDS, refused } from '../harness/cards.mjs';
import { expectText } from '../harness/expect.mjs';
import { FAULTS } from '../harness/gateway.mjs';
import { LOOKS, look } from '../harness/looks.mjs';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';

// Every outcome of a charge in every look. They stand below each other on one page, each with a buyer of its own.

const OUTCOMES = [
  { card: CARDS.takesTime, en: 'Your payment is being confirmed', ja: 'お支払いを確認しています' },
  { card: CARDS.challenge, en: 'Your bank wants you to confirm', ja: 'カード会社での確認が必要です' },
  { card: CARDS.good, told: 'in_doubt', en: 'We are checking your payment', ja: 'お支払いの状況を確認しています' },
  { card: CARDS.good, told: 'needs_review', en: 'needs a closer look', ja: '確認する必要があります' },
  { card: refused('INSUFFICIENT_FUNDS'), en: 'not enough money', ja: '不足しています' },
  { card: refused('LIMIT_EXCEEDED'), en: "over the card's limit", ja: '利用限度額' },
  { card: refused('TRY_AGAIN_LATER'), en: 'on the way to your bank', ja: '通信中に問題' },
  { card: refused('FRAUDULENT'), en: 'declined the card', ja: '承認されませんでした' },
  { card: refused('EXPIRED_CARD'), en: 'has expired', ja: '有効期限' },
  { card: refused('AUTHENTICATION_REQUIRED'), en: 'that it was you', ja: 'ご本人確認' },
  { card: CARDS.euro, en: 'this currency', ja: 'この通貨' },
  { card: refused('MANDATE_REQUIRED'), en: 'further payments', ja: '今後のお支払い' },
  { card: refused('PAYMENT_METHOD_UNSUPPORTED'), en: 'cannot be used for this', ja: '利用できません' },
];

for (const { name, phone, dark, dir = 'ltr', lang = 'en' } of LOOKS) {
  scenario(`o. ${name}: every outcome of a charge`, async (world) => {
    const stack = await world.stack();
    const { sim, proxy, pages, gateway } = stack;
    const tokens = await Promise.all(OUTCOMES.map(async ({ card, told }) => {
      const buyer = await sim.buyer({ cards: [card] });
      const purchase = await sim.purchase(buyer, 'prod_starter_course');
      const token = await proxy.session(buyer, { payment_id: purchase.payment_id });
      if (told) {
        const undecided = { success: false, status: told, attempt_id: 'at_1', hosted_checkout_offered: false };
        gateway.break(token, 'POST', '/v1/upsell/accept', FAULTS.json(undecided));
        gateway.break(token, 'GET', '/v1/upsell/attempts/at_1', FAULTS.json(undecided));
      }
      return token;
    }));
    const profile = await world.profile({ phone, dark });
    const page = await profile.page();
    const element = (token) => `<upsell-offer endpoint="${gateway.url}/v1/upsell" token="${token}"></upsell-offer>`;
    const head = `<script type="module" src="${proxy.script}"></script><style>upsell-offer { margin-block: 1rem; }</style>`;
    const window = page.viewportSize();
    // All in view at once: what is out of sight does not count as seen, and cannot be pressed.
    await page.setViewportSize({ ...window, height: 1_000 * OUTCOMES.length });
    await page.goto(pages.publish({ body: tokens.map(element).join('\n'), head, dir, lang }));
    const all = page.locator('upsell-offer');
    const offers = OUTCOMES.map((_, nth) => new Offer(page, all.nth(nth)));
    await Promise.all(offers.map((offer) => offer.ready()));
    for (const offer of offers) await offer.acceptButton.click();
    await Promise.all(offers.map((offer, nth) => expectText(offer.element, OUTCOMES[nth][lang])));
    await page.setViewportSize(window);
    // The room that the offers took is kept for what took their place; a picture needs none of it.
    await page.evaluate(() => {
      for (const host of document.querySelectorAll('upsell-offer')) {
        for (const region of host.shadowRoot.querySelectorAll('section')) region.style.minBlockSize = '';
      }
    });
    // A merchant's page has one offer, and so one region of that name.
    await look(world, page, all, 'outcomes', { but: ['landmark-unique'] });
  });
}
