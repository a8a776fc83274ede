// Test cards as Dodo documents them, and some of the simulator's own.

export const CARDS = {
  good: { number: '4242424242424242', last4: '4242' },
  mastercard: { number: '5555555555554444', last4: '4444' },
  declined: { number: '4000000000000002', last4: '0002' },
  /** Can be saved, and is refused when charged later. */
  failsLater: { number: '4000000000000341', last4: '0341' },
  /** A one-click charge ends in requires_customer_action until it is resolved. */
  challenge: { number: '4000002500003155', last4: '3155' },
  /** A one-click charge is `processing` for a while. */
  takesTime: { number: '4000000000000077', last4: '0077' },
  /** Can pay in euros only; Dodo says so only when it is tried. */
  euro: { number: '4242424242424242', last4: '4242', as: { currencies: ['EUR'] } },
};

/** A good card that is refused with this error code of Dodo's whenever it is charged without the buyer. */
export function refused(errorCode) {
  return { ...CARDS.good, as: { declines_with: errorCode } };
}

export const EXPIRY = { expiry_month: 12, expiry_year: 2032 };
