// Runs the end-to-end scenarios: `node run.mjs [letter or words …] [--jobs N] [--list]`.
// The last line, "e2e: N passed, N failed", is for cargo xtask test.

import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { run, select } from './harness/runner.mjs';
import { Stack, missing } from './harness/stack.mjs';
import { World } from './harness/world.mjs';

const CHROMIUM = process.env.UPSELL_E2E_CHROMIUM ?? '/usr/bin/chromium';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { jobs: { type: 'string' }, list: { type: 'boolean', default: false } },
});

const here = new URL('.', import.meta.url);
for (const file of (await readdir(new URL('scenarios/', here))).sort()) await import(new URL(`scenarios/${file}`, here));

const chosen = select(positionals);
if (values.list) {
  for (const { name } of chosen) console.log(name);
  process.exit(0);
}
if (chosen.length === 0) fail(`no scenario matches ${positionals.join(' ')}; --list shows them all`);

const lacking = missing();
if (!existsSync(CHROMIUM)) lacking.unshift(`${CHROMIUM} is missing: apt-get install chromium, or set UPSELL_E2E_CHROMIUM`);
if (lacking.length > 0) fail(lacking.join('\n'));

if (positionals.length === 0) await rm(new URL('artefacts/', here), { recursive: true, force: true });

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});
let shared;
const sharedStack = () => (shared ??= Stack.start());

const outcome = await run(chosen, {
  // One more than there are processors: much of a scenario is waiting.
  jobs: Number(values.jobs ?? availableParallelism() + 1),
  makeWorld: (name) => new World(name, { browser, sharedStack }),
  print: console.log,
});

await browser.close();
if (shared) await (await shared.catch(() => undefined))?.stop();

console.log(`e2e: ${outcome.passed} passed, ${outcome.failed} failed`);
process.exit(outcome.failed === 0 ? 0 : 1);

function fail(message) {
  console.error(message);
  process.exit(2);
}
