// WebKitGTK's MiniBrowser over WebDriver: Safari's engine, as far as one can have it on Linux.

import { existsSync, readdirSync } from 'node:fs';
import { Builder } from 'selenium-webdriver';
import { freePort, startProcess } from '../process.mjs';
import { PAGE_SCRIPT } from '../observer.mjs';
import { until } from '../until.mjs';
import { WebKitContext } from './webkit/context.mjs';

const DRIVER = '/usr/bin/WebKitWebDriver';
const DISPLAY = '/usr/bin/Xvfb';

/** MiniBrowser lies in a folder of the machine's architecture and the library's version. */
function miniBrowser() {
  const libraries = readdirSync('/usr/lib').map((folder) => `/usr/lib/${folder}`);
  const places = libraries.flatMap((folder) => ['4.1', '4.0'].map((version) => `${folder}/webkit2gtk-${version}/MiniBrowser`));
  return places.find((place) => existsSync(place));
}

export function webkit() {
  return {
    // A window that loses the focus to another one's gets no keys.
    jobs: 1,
    // Its driver takes its time for every command.
    slowness: 2,

    missing() {
      const remedy = 'apt-get install webkit2gtk-driver xvfb';
      const found = { [DRIVER]: existsSync(DRIVER), [DISPLAY]: existsSync(DISPLAY), MiniBrowser: Boolean(miniBrowser()) };
      return Object.entries(found).filter(([, there]) => !there).map(([what]) => `${what} is missing: ${remedy}`);
    },

    async start() {
      const screen = await startProcess('Xvfb', DISPLAY, ['-displayfd', '1', '-screen', '0', '1600x2400x24', '-nolisten', 'tcp'], { ready: /^\d+$/ });
      const display = `:${screen.tail.find((line) => /^\d+$/.test(line))}`;
      return {
        /** The driver runs no script before the page's own; the merchant's pages carry it. */
        pageScript: PAGE_SCRIPT,
        newContext: (options) => newContext(display, options),
        close: () => screen.stop(),
      };
    },
  };
}

/** A driver has one session, so each profile has a driver of its own. */
async function newContext(display, { viewport, colorScheme, locale, withoutWasm = false }) {
  const port = await freePort();
  const driver = await startProcess('WebKitWebDriver', DRIVER, ['--host=127.0.0.1', `--port=${port}`], {
    env: {
      DISPLAY: display,
      GDK_BACKEND: 'x11',
      LANG: `${locale.replace('-', '_')}.UTF-8`,
      JSC_useWasm: withoutWasm ? '0' : '1',
    },
  });
  const server = `http://127.0.0.1:${port}`;
  await until('WebKitWebDriver', async () => (await fetch(`${server}/status`)).ok);
  const args = ['--automation', ...(colorScheme === 'dark' ? ['--dark-mode'] : [])];
  const session = await new Builder()
    .usingServer(server)
    .withCapabilities({ browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary: miniBrowser(), args } })
    .build();
  await session.manage().window().setRect({ x: 0, y: 0, ...viewport });
  return new WebKitContext(session, () => driver.stop());
}
