// What runs in every page before its own scripts and notes what the scenarios ask about.

/** The widget's events. */
export const EVENTS = [
  'upsell-accept', 'upsell-decline', 'upsell-shown', 'upsell-accepted', 'upsell-declined', 'upsell-pending',
  'upsell-failed', 'upsell-plan-changed',
];

/** Notes layout shifts, reports of the page's policy, and the widget's events. Runs in the page. */
export function observePage(names) {
  window.e2e = { shifts: [], events: [], violations: [] };
  document.addEventListener('securitypolicyviolation', (event) => {
    window.e2e.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
  });
  if (PerformanceObserver.supportedEntryTypes.includes('layout-shift')) {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        window.e2e.shifts.push({
          value: entry.value,
          nodes: entry.sources.map((source) => source.node?.nodeName ?? '?'),
          afterInput: entry.hadRecentInput,
        });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  }
  for (const name of names) {
    document.addEventListener(name, (event) => {
      window.e2e.events.push({ name, detail: JSON.parse(JSON.stringify(event.detail ?? null)) });
    });
  }
}

/**
 * Notes calls, their answers, console messages and errors, for a driver that does not report them. Runs in the page,
 * after `observePage`.
 */
export function observeCalls() {
  const notes = (window.e2e.notes = []);
  const note = (what) => notes.push({ at: performance.timeOrigin + performance.now(), ...what });
  const { fetch } = window;
  window.fetch = async (resource, options) => {
    // A request that is copied loses its body to the copy.
    const request = resource instanceof Request ? resource : new Request(resource, options);
    const [method, url] = [request.method, request.url];
    note({ kind: 'request', method, url, headers: Object.fromEntries(request.headers) });
    const response = await fetch(resource, options);
    // The widget reads the answer itself; this reads a copy.
    const isText = /json|text/.test(response.headers.get('content-type') ?? '');
    const body = isText ? await response.clone().text().catch(() => '') : '';
    note({ kind: 'response', method, url, status: response.status, body });
    return response;
  };
  for (const level of ['warn', 'error']) {
    const say = console[level];
    console[level] = (...words) => {
      note({ kind: 'console', level: level === 'warn' ? 'warning' : level, text: words.join(' ') });
      say.apply(console, words);
    };
  }
  window.addEventListener('error', (event) => event.error && note({ kind: 'uncaught', text: String(event.error.stack ?? event.error) }));
  window.addEventListener('unhandledrejection', (event) => note({ kind: 'uncaught', text: String(event.reason) }));
}

/** Both as the text of a script for the head of a page. */
export const PAGE_SCRIPT = `(${observePage})(${JSON.stringify(EVENTS)});(${observeCalls})();`;
