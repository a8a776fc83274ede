// One stack: simulator, proxy, demo shop, a server for merchants' pages, and a gateway that can break the proxy's answers.

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Gateway } from './gateway.mjs';
import { MerchantPages } from './merchant_pages.mjs';
import { freePort, startProcess } from './process.mjs';
import { Proxy } from './proxy.mjs';
import { Shop } from './shop.mjs';
import { Sim } from './sim.mjs';

const REPO = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const FIXTURES = join(REPO, 'crates/dodo-sim/fixtures/default.json');
const API_KEY = 'dodo_test_sim_key';
const WEBHOOK_SECRET = 'whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=';
const SIGNING_KEYS = 'k1:dXBzZWxsLXNpZ25pbmcta2V5LW9mLXRoZS1lMmUhISE=';
const MERCHANT_KEY = 'e2e_merchant_key_0123456789abcdef0123456789abcdef';

/** Where the programs and the widget's files are; xtask says so through the environment. */
export const PATHS = {
  bin: process.env.UPSELL_E2E_BIN_DIR ?? join(REPO, 'target/debug'),
  widget: process.env.UPSELL_E2E_WIDGET_DIR ?? join(REPO, 'dist/embed'),
  spa: process.env.UPSELL_E2E_SPA_DIR ?? join(REPO, 'dist/spa'),
  rules: process.env.UPSELL_E2E_RULES ?? join(REPO, 'crates/proxy/upsell.toml'),
};

/** What is missing for a stack to start, each with its remedy. Empty when nothing is. */
export function missing() {
  const build = 'build it (cargo xtask test does)';
  return [
    [join(PATHS.bin, 'dodo-sim'), build],
    [join(PATHS.bin, 'upsell-proxy'), build],
    [join(PATHS.bin, 'demo-shop'), build],
    [join(PATHS.widget, 'upsell.js'), 'run cargo xtask embed, or set UPSELL_E2E_WIDGET_DIR'],
    [join(PATHS.widget, 'sri.json'), 'run cargo xtask embed, or set UPSELL_E2E_WIDGET_DIR'],
    [join(PATHS.spa, 'index.html'), 'run cargo xtask dist, or set UPSELL_E2E_SPA_DIR'],
    [PATHS.rules, 'set UPSELL_E2E_RULES'],
  ]
    .filter(([path]) => !existsSync(path))
    .map(([path, remedy]) => `${path} is missing: ${remedy}`);
}

export class Stack {
  /**
   * Starts everything on free ports, with a database of its own. `rules` names another rules file; `amendRules` and
   * `amendFixtures` get the text of the rules and of the simulator's catalogue, and what they return is used instead.
   * `pageScript` runs first in every merchant's page. `widget` and `spa` are other folders of files, `sessionWait` how many
   * milliseconds a token waits for Dodo; changed in `options`, they hold from the next `startProxy`.
   */
  static async start({ rules = PATHS.rules, amendRules, amendFixtures, pageScript, ...options } = {}) {
    const stack = new Stack();
    stack.options = options;
    try {
      await stack.#start(rules, amendRules, amendFixtures, pageScript);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  #processes = [];
  #servers = [];
  #directory;
  #rules;
  #ports;

  async #start(rules, amendRules, amendFixtures, pageScript) {
    this.#directory = await mkdtemp(join(tmpdir(), 'upsell-e2e-'));
    this.#rules = await this.#amended(rules, amendRules);
    const fixtures = amendFixtures ? ['--fixtures', await this.#amended(FIXTURES, amendFixtures)] : [];
    const [sim, proxy, ops, shop] = [await freePort(), await freePort(), await freePort(), await freePort()];
    this.#ports = { sim, proxy, ops, shop };
    const at = (port) => `http://127.0.0.1:${port}`;

    this.pages = await MerchantPages.start(pageScript);
    this.gateway = await Gateway.start(at(proxy));
    this.#servers.push(this.pages, this.gateway);

    this.#processes.push(
      await startProcess(
        'dodo-sim',
        join(PATHS.bin, 'dodo-sim'),
        [
          '--port', String(sim), '--seed', '1', ...fixtures,
          '--webhook-url', `${at(proxy)}/webhooks/dodo`, '--webhook-secret', WEBHOOK_SECRET,
        ],
        { ready: /listening on/ },
      ),
    );
    this.sim = new Sim(at(sim));
    // Many buyers a minute on one account; a merchant of that size has asked Dodo for more than the default.
    await this.sim.policy({ rate_limit: 'off' });
    this.proxy = new Proxy({ url: at(proxy), merchantKey: MERCHANT_KEY });
    await this.startProxy();
    this.#processes.push(
      await startProcess('demo-shop', join(PATHS.bin, 'demo-shop'), [], {
        ready: /listening on/,
        env: {
          SHOP_LISTEN: `127.0.0.1:${shop}`,
          SHOP_PUBLIC_URL: at(shop),
          SHOP_PROXY_URL: at(proxy),
          SHOP_MERCHANT_KEY: MERCHANT_KEY,
          DODO_PAYMENTS_API_KEY: API_KEY,
          DODO_PAYMENTS_BASE_URL: at(sim),
        },
      }),
    );
    this.shop = new Shop(at(shop));
    this.apiKey = API_KEY;
  }

  /** The file itself, or a changed copy of it. */
  async #amended(file, amend) {
    if (!amend) return file;
    const copy = join(this.#directory, basename(file));
    await writeFile(copy, amend(await readFile(file, 'utf8')));
    return copy;
  }

  /** Starts the proxy, or starts it again on the same port and database. */
  async startProxy() {
    const { sim, proxy, ops, shop } = this.#ports;
    const origins = [`http://127.0.0.1:${shop}`, `http://127.0.0.1:${proxy}`, this.pages.url];
    this.proxyProcess = await startProcess('upsell-proxy', join(PATHS.bin, 'upsell-proxy'), ['serve'], {
      ready: /listening on/,
      env: {
        UPSELL_LISTEN: `127.0.0.1:${proxy}`,
        UPSELL_OPS_LISTEN: `127.0.0.1:${ops}`,
        UPSELL_DATABASE: join(this.#directory, 'upsell.db'),
        UPSELL_MERCHANT_KEY: MERCHANT_KEY,
        UPSELL_SIGNING_KEYS: SIGNING_KEYS,
        UPSELL_CONFIG: this.#rules,
        UPSELL_PUBLIC_URL: `http://127.0.0.1:${proxy}`,
        UPSELL_ALLOWED_ORIGINS: origins.join(','),
        UPSELL_RETURN_URL: `http://127.0.0.1:${shop}/success`,
        UPSELL_WIDGET_DIR: this.options.widget ?? PATHS.widget,
        UPSELL_SPA_DIR: this.options.spa ?? PATHS.spa,
        DODO_PAYMENTS_API_KEY: API_KEY,
        DODO_PAYMENTS_WEBHOOK_KEY: WEBHOOK_SECRET,
        DODO_PAYMENTS_ENVIRONMENT: 'test_mode',
        DODO_PAYMENTS_BASE_URL: `http://127.0.0.1:${sim}`,
        // As many as the simulator allows; and here all buyers have one address.
        UPSELL_DODO_REQUESTS_PER_SECOND: '100000',
        UPSELL_DODO_REQUESTS_PER_MINUTE: '100000',
        UPSELL_ADDRESS_REQUESTS_PER_MINUTE: '100000',
        // A busy machine is no slow Dodo: tokens are confirmed when they come, unless a scenario is about that.
        UPSELL_SESSION_WAIT_MS: String(this.options.sessionWait ?? 30_000),
      },
    });
  }

  async stopProxy() {
    await this.proxyProcess.stop();
  }

  async stop() {
    for (const child of [this.proxyProcess, ...this.#processes].filter(Boolean)) await child.stop();
    for (const server of this.#servers) await server.stop();
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
  }
}
