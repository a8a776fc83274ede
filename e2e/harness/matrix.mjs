// Which scenarios run in which browser of the support matrix, and why some do not.

/** What runs in the older and the other browsers with every run of the tests: each thing a buyer does, once. */
const CHOSEN = [
  'a. pays on the hosted page, sees the offer, accepts in one click, gets the receipt',
  'b. declines and never sees it again',
  'c. declines, is shown the downsell, declines, and nothing more comes',
  'c. accepts the downsell: charged its amount, once',
  'd. a double click is one charge',
  'e. without a saved card the offer leads to the hosted checkout, is paid there, and has its receipt',
  'f. card declined: clear words, the hosted checkout once, no second silent try',
  'g. upgrade on the merchant’s page: compares, picks, previews, confirms',
  'g. upgrade on the standalone page',
  'h. downgrade: the credit is shown before and after, and nothing is charged',
  "k. strict CSP and Trusted Types, style-src 'none': the offer works without a report",
  "k. strict CSP and Trusted Types, style-src 'none': the plan change works without a report",
  'k. a CSP without wasm-unsafe-eval: a link to the standalone page, no byte of WebAssembly',
  'k. a browser without WebAssembly: no offer, no link, another way for the plans',
  'k. a browser without WebAssembly: the standalone page names another way and keeps no token in its address',
  'o. keyboard only: reaches the offer, accepts, and hears the receipt',
  'o. keyboard only: declines',
  'o. keyboard only: changes the plan; focus goes into the dialog and back',
  'o. colours in light: words can be read and the dialog is opaque',
  'o. colours in dark: words can be read and the dialog is opaque',
];

const NO_BODIES = 'the driver does not tell the body of a request';

/** Scenarios that a browser leaves out, and why: a limit of its driver, or a fault. */
const LEFT_OUT = {
  chromium: {},
  'chromium-115': {},
  'chromium-119': {},
  firefox: {
    'p. no globals, no cookies, nobody else is asked': 'the driver itself adds a global to the page',
    'p. nothing said by the page reaches the price': NO_BODIES,
    'q. a shop without a server: a reload while the payment settles does not lose the offer': NO_BODIES,
    'o. keyboard only: changes the plan; focus goes into the dialog and back':
      'keys of WebDriver never leave the first button of a modal dialog, as real keys do',
  },
  webkit: {
    'a. pays on the hosted page, sees the offer, accepts in one click, gets the receipt':
      'it asks for events on a page of the demo shop, which the driver cannot observe',
  },
};

/**
 * The scenarios of a run. `chosen` keeps those of the set above. The driver of WebKit carries out no others: it has no
 * hand on what goes over the network.
 */
export function scenariosFor(browser, scenarios, { chosen }) {
  const names = new Set(CHOSEN);
  const leftOut = LEFT_OUT[browser];
  const only = chosen || browser === 'webkit';
  return scenarios.filter(({ name }) => !(name in leftOut) && (!only || names.has(name)));
}

/** Names in the lists above that no scenario has. */
export function strayNames(scenarios) {
  const known = new Set(scenarios.map(({ name }) => name));
  const named = [...CHOSEN, ...Object.values(LEFT_OUT).flatMap((list) => Object.keys(list))];
  return named.filter((name) => !known.has(name));
}
