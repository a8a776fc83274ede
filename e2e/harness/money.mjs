// Amounts as a buyer reads them. Independent of the widget's own formatting: digits are placed by string, not by float.

const ZERO_DECIMAL = new Set(['JPY', 'KRW', 'VND', 'CLP']);

/** Minor units as a decimal string: 12900 USD is "129.00", 4900 JPY is "4900". */
export function decimal(minor, currency) {
  const digits = ZERO_DECIMAL.has(currency) ? 0 : 2;
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const whole = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return minor < 0 ? `-${whole}` : whole;
}

/** Minor units as shown in a language: `money(12900, 'USD')` is "$129.00". Below zero it has a minus, not a hyphen. */
export function money(minor, currency = 'USD', locale = 'en') {
  const digits = ZERO_DECIMAL.has(currency) ? 0 : 2;
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(decimal(minor, currency)).replace('-', '−');
}
