// Small changes to what a stack starts with: the merchant's rules and the simulator's catalogue.

import assert from 'node:assert/strict';

/** Rules by which every change on the upgrade page is billed in one way. */
export function billedBy(mode) {
  return (rules) => {
    let changed = 0;
    const amended = rules.replace(/^(upgrade|downgrade|switch) = "\w+"$/gm, (_, direction) => {
      changed += 1;
      return `${direction} = "${mode}"`;
    });
    assert.equal(changed, 3, 'the rules name all three directions');
    return amended;
  };
}

/** A catalogue with further products in it. */
export function withProducts(...products) {
  return (fixtures) => {
    const catalogue = JSON.parse(fixtures);
    return JSON.stringify({ ...catalogue, products: [...catalogue.products, ...products] });
  };
}

/** A product of the catalogue that costs $30 a month; `price` changes that. */
export function monthly(product_id, name, price = {}) {
  return {
    product_id,
    name,
    description: null,
    tax_category: 'saas',
    price: {
      type: 'recurring_price', currency: 'USD', price: 3000, payment_frequency_count: 1, payment_frequency_interval: 'Month',
      ...price,
    },
  };
}
