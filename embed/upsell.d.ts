// Types for pages and frameworks that use the elements. docs/EMBED.md explains them.

export type UpsellKind = "offer" | "plans";

/** The secret of this browser, for a server that mints a token for it alone (`browser` in `POST /v1/sessions`). */
export function browser(): string;

/** What every event carries. No personal data. */
export interface UpsellDetail {
  kind: UpsellKind;
  offer_id?: string;
  offer_kind?: "upsell" | "cross_sell" | "downsell" | "upgrade" | "downgrade" | "other";
  product_id?: string;
  /** A decimal, as text: `"19.00"`. */
  amount?: string;
  /** ISO 4217. */
  currency?: string;
}

export interface UpsellEventMap {
  /** Before a confirmed purchase or change is sent. `preventDefault()` stops it. */
  "upsell-accept": CustomEvent<UpsellDetail>;
  /** Before the page is left for a checkout or a card form. After `preventDefault()` the page goes to `url` itself. */
  "upsell-navigate": CustomEvent<UpsellDetail & { url: string }>;
  /** The offer, or the plans, were really visible for a second, or the buyer has answered the offer sooner. */
  "upsell-shown": CustomEvent<UpsellDetail>;
  /** `unconfirmed`: a basic backend has taken the order, and whether it is paid is not known. */
  "upsell-accepted": CustomEvent<UpsellDetail & { status: "succeeded" | "unconfirmed" }>;
  "upsell-declined": CustomEvent<UpsellDetail>;
  "upsell-pending": CustomEvent<UpsellDetail & { status: "processing" | "requires_customer_action" | "in_doubt" | "needs_review" }>;
  /** `code` is `altered` where something else on the page writes other amounts into the element. */
  "upsell-failed": CustomEvent<UpsellDetail & { code: string }>;
  "upsell-plan-changed": CustomEvent<UpsellDetail & { scheduled: boolean }>;
  "upsell-cancellation-changed": CustomEvent<UpsellDetail & { cancelled: boolean }>;
}

/** Attributes, each with a property of the same name. Setting one shows the widget anew. */
export interface UpsellAttributes {
  /** Base address of the backend: `https://…/v1/upsell` or `https://…/v1/plans`. Required. */
  endpoint: string;
  /**
   * Session token from your server, good in the first browser that uses it. While it is empty, or set to `undefined` or `null`,
   * nothing is asked and nothing shown. Leave it out where the backend knows the buyer by other means.
   */
  token: string;
  /** Language tag. Default: the language of the page. */
  locale: string;
  /** Default: the page's `color-scheme`. Every other value is taken for `auto`. */
  theme: "" | "light" | "dark" | "auto";
}

export interface UpsellElement extends HTMLElement, UpsellAttributes {
  /** Present: take the one-time code out of the page's address and exchange it for a token, in the browser that began the
   * checkout (`startCheckout` of `checkout.js`). Offers only. */
  redeem: string | boolean;

  addEventListener<K extends keyof UpsellEventMap>(
    type: K,
    listener: (this: UpsellElement, event: UpsellEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "upsell-offer": UpsellElement;
    "upsell-plans": UpsellElement;
  }
}
