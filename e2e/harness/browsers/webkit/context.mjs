// One browser profile and its page, with what the scenarios use of Playwright's `BrowserContext` and `Page`.

import { EventEmitter } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { until } from '../../until.mjs';
import { wanted } from './find.mjs';
import { Keyboard, Locator } from './locator.mjs';

export class WebKitContext extends EventEmitter {
  timeout = 15_000;
  #session;
  #end;
  #pages = [];
  /** The driver takes one command after the other. */
  #last = Promise.resolve();

  constructor(session, end) {
    super();
    this.#session = session;
    this.#end = end;
  }

  setDefaultTimeout(timeout) {
    this.timeout = timeout;
  }

  pages() {
    return this.#pages;
  }

  async newPage() {
    // A click in a second tab never returns from the driver.
    if (this.#pages.length > 0) throw new Error('a profile in WebKit has one page; take another profile');
    const page = new WebKitPage(this);
    this.#pages.push(page);
    return page;
  }

  /** Runs `command(session)` after the commands before it. */
  drive(command) {
    const done = this.#last.then(() => command(this.#session));
    this.#last = done.catch(() => {});
    return done;
  }

  /** Passes on what a page's script has noted. */
  report({ kind, ...note }) {
    const shape = {
      request: () => request(note),
      response: () => ({ url: () => note.url, status: () => note.status, request: () => request(note) }),
      console: () => ({ type: () => note.level, text: () => note.text }),
      uncaught: () => ({ error: () => note.text }),
    };
    this.emit(kind === 'uncaught' ? 'weberror' : kind, shape[kind]());
  }

  /** Ends the driver, and the browser with it. Not by a command: it would wait behind one that never returns. */
  close() {
    return this.#end();
  }
}

const request = ({ method, url, headers = {} }) => ({ method: () => method, url: () => url, headers: () => headers });

class WebKitPage {
  #context;
  #url = 'about:blank';
  #notes = [];
  keyboard = new Keyboard(this);

  constructor(context) {
    this.#context = context;
  }

  get timeout() {
    return this.#context.timeout;
  }

  /** Runs `command(session)` in this page. */
  drive(command) {
    return this.#context.drive(command);
  }

  /**
   * The value of a JavaScript expression in the page, or of what it promises; the arguments are `arguments[0]` and so on.
   * Takes along what the page's script has noted since the last time.
   */
  async run(expression, ...given) {
    const script = `
      const done = arguments[arguments.length - 1];
      const answer = (outcome) => done({ ...outcome, url: location.href, notes: window.e2e?.notes?.splice(0) ?? [] });
      (async (...arguments_) => (function () { return ${expression}; }).apply(null, arguments_))(...[...arguments].slice(0, -1))
        .then((value) => answer(value === undefined ? {} : { value }), (error) => answer({ error: String(error?.stack ?? error) }));`;
    const { value, error, url, notes } = await this.drive((session) => session.executeAsyncScript(script, ...given));
    this.#url = url;
    for (const note of notes) {
      this.#notes.push(note);
      this.#context.report(note);
    }
    if (error) throw new Error(error);
    return value;
  }

  /** `body(argument)` in the page. The driver knows elements only as arguments of their own, so an array is taken apart. */
  evaluate(body, argument) {
    if (typeof body === 'string') return this.run('(0, eval)(arguments[0])', body);
    return Array.isArray(argument) ? this.run(`(${body})([...arguments])`, ...argument) : this.run(`(${body})(arguments[0])`, argument);
  }

  waitForFunction(body, argument) {
    return until(`the page to meet ${body}`, () => this.evaluate(body, argument), { within: this.timeout });
  }

  async goto(url) {
    await this.drive((session) => session.get(url));
    await this.run('null');
  }

  async reload() {
    await this.run('null');
    await this.drive((session) => session.navigate().refresh());
    await this.run('null');
  }

  /** The address at the last command. */
  url() {
    return this.#url;
  }

  /** Waits for an address: a pattern, a predicate of a `URL`, or a text in which `*` is anything. */
  waitForURL(where) {
    const glob = () => new RegExp(`^${where.split(/\*+/).map((part) => part.replace(/[.?+^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
    const pattern = typeof where === 'string' ? glob() : where;
    const matches = typeof pattern === 'function' ? pattern : ({ href }) => pattern.test(href);
    return until(`the address ${where}`, async () => {
      await this.run('null');
      return matches(new URL(this.#url));
    }, { within: this.timeout });
  }

  /** Waits for an answer to a call that the page begins after this. */
  async waitForResponse(which) {
    const since = Date.now();
    const matches = which instanceof RegExp ? (response) => which.test(response.url()) : which;
    const shaped = ({ url, status, body }) => ({ url: () => url, status: () => status, json: async () => JSON.parse(body), text: async () => body });
    return until('an answer', async () => {
      await this.run('null');
      return this.#notes.filter(({ kind, at }) => kind === 'response' && at >= since).map(shaped).find(matches);
    }, { within: this.timeout });
  }

  locator(css) {
    return new Locator(this, [{ css }]);
  }

  getByRole(role, { name, exact } = {}) {
    return new Locator(this, [name === undefined ? { role } : { role, name: wanted(name, exact) }]);
  }

  getByText(text, { exact } = {}) {
    return new Locator(this, [{ text: wanted(text, exact) }]);
  }

  /** What the window shows. Fails in time, since a command before it may never return. */
  async screenshot({ path, timeout = this.timeout }) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no picture after ${timeout / 1000} s`)), timeout);
    });
    // What was drawn in the last moment is on the screen a frame later.
    const frames = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))';
    const taken = this.run(`${frames}.then(() => null)`).then(() => this.drive((session) => session.takeScreenshot()));
    taken.catch(() => {}); // raced below
    try {
      await writeFile(path, await Promise.race([taken, late]), 'base64');
    } finally {
      clearTimeout(timer);
    }
  }
}
