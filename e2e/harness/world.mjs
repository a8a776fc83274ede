// What a scenario holds in its hands: a stack, browser profiles, and an eye on everything that goes wrong in a page.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENTS, observePage } from './observer.mjs';
import { slug } from './runner.mjs';
import { Stack } from './stack.mjs';

/** What Chromium and Firefox write to the console about an answer that the page may not read. No script can prevent that. */
export const CORS_REFUSAL = /blocked by CORS policy|Cross-Origin Request Blocked/;

export class World {
  #browser;
  #profiles = [];
  #ownStacks = [];
  #ends = [];
  #shared;
  #artefacts;

  constructor(name, { browser, sharedStack, artefacts }) {
    this.name = name;
    this.slug = slug(name).slice(0, 100);
    this.#browser = browser;
    this.#shared = sharedStack;
    this.#artefacts = artefacts;
  }

  /** The stack of this run. Only for scenarios that leave nothing behind that another would notice. */
  stack() {
    return this.#shared();
  }

  /** A stack of its own, for faults, prices and switches; ended with the scenario. */
  async ownStack(options) {
    const stack = await Stack.start({ ...options, pageScript: this.#browser.pageScript });
    this.#ownStacks.push(stack);
    return stack;
  }

  /**
   * A fresh browser profile: no storage, no cache. `phone`, `dark`, `locale` and so on as Playwright's context options;
   * `withoutWasm` is a browser that has no WebAssembly, as in Apple's Lockdown Mode. `tolerate` lists patterns of console
   * messages that belong to the scenario.
   */
  async profile({ phone = false, dark = false, tolerate = [], ...options } = {}) {
    const context = await this.#browser.newContext({
      viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
      deviceScaleFactor: phone ? 2 : 1,
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      locale: 'en-US',
      ...options,
    });
    context.setDefaultTimeout(15_000);
    const profile = new Profile(context, tolerate);
    await profile.watch();
    this.#profiles.push(profile);
    return profile;
  }

  /** A page in a fresh profile. */
  async page(options) {
    return (await this.profile(options)).page();
  }

  /** Keeps a picture of the page under the scenario's name. */
  async shot(page, step, options = {}) {
    if (this.#browser.stylesPictures && (await hasPolicy(page.url()))) return;
    await mkdir(this.#artefacts, { recursive: true });
    await page.screenshot({ path: join(this.#artefacts, `${this.slug}-${step}.png`), fullPage: true, ...options });
  }

  /** No page of the scenario saw an uncaught error, an unhandled rejection or an error in its console. */
  assertNothingBroke() {
    for (const profile of this.#profiles) profile.assertNothingBroke();
  }

  /** What the pages did, in order, for the report of a failure. */
  trace() {
    return this.#profiles.flatMap((profile, nth) => profile.trace().map((line) => `profile ${nth + 1}: ${line}`));
  }

  async shotsOfFailure() {
    let count = 0;
    for (const { context } of this.#profiles) {
      for (const page of context.pages()) {
        count += 1;
        // The page may be gone or stuck, and the failure itself matters more than its picture.
        await this.shot(page, `failed-${count}`, { timeout: 5_000 }).catch(() => {});
      }
    }
  }

  /** Something to end with the scenario. */
  onClose(end) {
    this.#ends.push(end);
  }

  async close() {
    for (const { context } of this.#profiles) await context.close();
    for (const stack of this.#ownStacks) await stack.stop();
    for (const end of this.#ends) await end();
  }
}

/** One browser profile and what its pages did. */
export class Profile {
  /** Requests made: `{method, url, headers}`. */
  requests = [];
  /** Console messages of level "warning". */
  warnings = [];
  #problems = [];
  #trace = [];

  constructor(context, tolerate) {
    this.context = context;
    this.tolerate = tolerate;
  }

  async watch() {
    this.context.on('weberror', (event) => {
      this.#problems.push(`uncaught: ${event.error()?.stack ?? event.error()}`);
    });
    this.context.on('console', (message) => {
      if (message.type() === 'warning') this.warnings.push(message.text());
      this.#trace.push(`console ${message.type()}: ${message.text().slice(0, 500)}`);
      // The browser itself reports failed loads in the console; no page script can prevent that.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        this.#problems.push(`console: ${message.text()}`);
      }
    });
    this.context.on('response', (response) => {
      if (response.url().includes('/v1/')) this.#trace.push(`${response.status()} ${response.request().method()} ${response.url()}`);
    });
    this.context.on('requestfailed', (request) => {
      this.#trace.push(`${request.failure()?.errorText} ${request.method()} ${request.url()}`);
    });
    this.context.on('request', (request) => {
      this.requests.push({ method: request.method(), url: request.url(), headers: request.headers() });
    });
    // A browser whose driver cannot do that has the script written into the merchant's pages.
    await this.context.addInitScript?.(observePage, EVENTS);
  }

  page() {
    return this.context.newPage();
  }

  assertNothingBroke() {
    const unexpected = this.#problems.filter((problem) => !this.tolerate.some((pattern) => pattern.test(problem)));
    assert.deepEqual(unexpected, [], 'errors in the page');
  }

  /** Calls, answers and console messages of this profile's pages, for the report of a failure. */
  trace() {
    return this.#trace;
  }

  /** Requests whose address matches, without the browser's own preflights. */
  requestsTo(pattern) {
    return this.requests.filter(({ method, url }) => method !== 'OPTIONS' && pattern.test(url));
  }
}

/** Whether a page of this run is served with a policy of its own. */
async function hasPolicy(address) {
  const response = await fetch(address);
  await response.body?.cancel();
  return response.headers.has('content-security-policy');
}

/** What the widget's last event of that name said. */
export async function lastEvent(page, name) {
  return page.evaluate((wanted) => window.e2e.events.findLast((event) => event.name === wanted)?.detail, name);
}

/** The widget's events that the page has heard, by name, in order. */
export async function events(page) {
  return page.evaluate(() => window.e2e.events.map((event) => event.name));
}
