// Chromium: Debian's, or an older one that is named by its major version.

import { existsSync } from 'node:fs';
import { chromium as playwright } from 'playwright-core';

const ARGS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

export function chromium(major) {
  const program = process.env.UPSELL_E2E_CHROMIUM ?? (major ? undefined : '/usr/bin/chromium');
  return {
    missing() {
      if (program && existsSync(program)) return [];
      const remedy = major ? `run cargo xtask matrix --browser chromium-${major} once` : 'apt-get install chromium';
      return [`${program ?? `Chromium ${major}`} is missing: ${remedy}, or set UPSELL_E2E_CHROMIUM`];
    },

    async start() {
      const browser = await playwright.launch({ executablePath: program, args: ARGS });
      const version = browser.version();
      if (major && !version.startsWith(`${major}.`)) throw new Error(`${program} is Chromium ${version}, not ${major}`);
      return {
        async newContext({ withoutWasm = false, ...options }) {
          const context = await browser.newContext(options);
          // The flag that once took WebAssembly away is ignored today.
          if (withoutWasm) await context.addInitScript(() => delete globalThis.WebAssembly);
          return context;
        },
        close: () => browser.close(),
      };
    },
  };
}
