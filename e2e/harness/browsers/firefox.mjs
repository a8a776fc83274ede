// Debian's Firefox ESR over WebDriver BiDi.

import { existsSync } from 'node:fs';
import { firefox as playwright } from 'playwright-core';

const PROGRAM = '/usr/bin/firefox-esr';

export function firefox() {
  return {
    // With two, keys go to the window of the other.
    jobs: 1,
    // Its driver takes its time for every command.
    slowness: 2,

    missing() {
      return existsSync(PROGRAM) ? [] : [`${PROGRAM} is missing: apt-get install firefox-esr`];
    },

    async start() {
      // The driver cannot set these for a profile; they are settings of a whole browser, started when one is asked for.
      const started = new Map();
      const withSettings = (settings) => {
        const key = JSON.stringify(settings);
        if (!started.has(key)) {
          started.set(key, playwright.launch({ channel: 'moz-firefox', executablePath: PROGRAM, firefoxUserPrefs: settings }));
        }
        return started.get(key);
      };
      return {
        /** The driver adds a style to a page of which it takes a picture, which a strict policy forbids and reports. */
        stylesPictures: true,
        async newContext({ colorScheme, reducedMotion, withoutWasm = false, ...options }) {
          const browser = await withSettings({
            'layout.css.prefers-color-scheme.content-override': colorScheme === 'dark' ? 0 : 1,
            'ui.prefersReducedMotion': reducedMotion === 'reduce' ? 1 : 0,
            'javascript.options.wasm': !withoutWasm,
          });
          return browser.newContext(options);
        },
        async close() {
          for (const browser of started.values()) await (await browser).close();
        },
      };
    },
  };
}
