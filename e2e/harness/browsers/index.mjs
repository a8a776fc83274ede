// The browsers of the support matrix, each behind what the scenarios use of Playwright's `Browser`.

import { chromium } from './chromium.mjs';
import { firefox } from './firefox.mjs';
import { webkit } from './webkit.mjs';

/**
 * Each has `missing()`: what it lacks to start, each with its remedy; `start()`: a browser with `newContext` and `close`;
 * `jobs`: how many scenarios it can run at a time, if that is limited; and `slowness`: how many times longer they may take.
 */
export const BROWSERS = {
  chromium: chromium(),
  'chromium-115': chromium(115),
  'chromium-119': chromium(119),
  firefox: firefox(),
  webkit: webkit(),
};
