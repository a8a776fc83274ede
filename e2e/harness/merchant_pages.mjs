// Pages of a merchant whom nobody asked about widgets: plain HTML with the widget pasted in, served with any headers.

import { createHash } from 'node:crypto';
import { startServer } from './server.mjs';

export const HEADING = 'Thank you for your order';
export const FOOTER = 'Questions? Write to help@shop.example.';

/** A page's colours follow the buyer's choice, said outright: axe-core does not know the browser's dark canvas. */
const PAGE_STYLE = `<style>
html { background: Canvas; color: CanvasText; }
html { background: light-dark(#fff, #14161a); color: light-dark(#16181d, #e8eaed); }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main { max-inline-size: 72rem; margin-inline: auto; padding: 1rem; }
</style>`;

export class MerchantPages {
  #pages = new Map();
  #server;
  #count = 0;

  #script;

  /** `script` runs first in every page, also where the page's policy allows no other. */
  static async start(script = '') {
    const pages = new MerchantPages();
    pages.#script = script;
    pages.#server = await startServer((request, response) => {
      const page = pages.#pages.get(new URL(request.url, 'http://page').pathname);
      if (!page) return response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page');
      return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...page.headers }).end(page.html);
    });
    pages.url = pages.#server.url;
    return pages;
  }

  stop() {
    return this.#server.stop();
  }

  /**
   * Publishes a page and returns its address. `body` is the part between heading and footer; `head` goes into the head,
   * `tail` stands behind the body; `csp` becomes the Content-Security-Policy header.
   */
  publish({ body, head = '', tail = `<p>${FOOTER}</p>`, csp, lang = 'en', dir = 'ltr', headers = {} }) {
    this.#count += 1;
    const path = `/page/${this.#count}`;
    this.#pages.set(path, {
      headers: csp ? { ...headers, 'content-security-policy': this.#allowing(csp) } : headers,
      html: `<!doctype html>
<html lang="${lang}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Order complete</title>
<link rel="icon" href="data:,">
${this.#script && `<script>${this.#script}</script>`}
${csp ? '' : PAGE_STYLE}
${head}
</head>
<body>
<main>
<h1>${HEADING}</h1>
${body}
${tail}
</main>
</body>
</html>`,
    });
    return `${this.url}${path}`;
  }

  /** The policy, and in it the page's first script by its hash. */
  #allowing(csp) {
    if (!this.#script) return csp;
    const hash = createHash('sha256').update(this.#script).digest('base64');
    return csp.replace('script-src', `script-src 'sha256-${hash}'`);
  }

  /** The page that a merchant gets by pasting the two lines of the documentation. */
  offer(proxy, token, { endpoint = `${proxy.url}/v1/upsell`, attributes = '', ...page } = {}) {
    const body = `<upsell-offer endpoint="${endpoint}" token="${token}" ${attributes}></upsell-offer>`;
    return this.publish({ body, ...page, head: tag(proxy) + (page.head ?? '') });
  }

  /** The same for the plan comparison. */
  plans(proxy, token, { endpoint = `${proxy.url}/v1/plans`, attributes = '', ...page } = {}) {
    const body = `<upsell-plans endpoint="${endpoint}" token="${token}" ${attributes}></upsell-plans>`;
    return this.publish({ body, ...page, head: tag(proxy) + (page.head ?? '') });
  }
}

/** The line of script that a merchant pastes. */
export function tag(proxy) {
  return `<script type="module" src="${proxy.script}"></script>`;
}
