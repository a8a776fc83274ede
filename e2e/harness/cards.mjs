// Test cards as Dodo documents them, and one of the simulator's own for a challenge.

export const CARDS = {
  good: { number: '4242424242424242', last4: '4242' },
  mastercard: { number: '5555555555554444', last4: '4444' },
  declined: { number: '4000000000000002', last4: '0002' },
  /** Can be saved, and is refused when charged later. */
  failsLater: { number: '4000000000000341', last4: '0341' },
  /** A one-click charge ends in requires_customer_action until it is resolved. */
  challenge: { number: '4000002500003155', last4: '3155' },
};

export const EXPIRY = { expiry_month: 12, expiry_year: 2032 };
