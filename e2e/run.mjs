// Runs the end-to-end scenarios: `node run.mjs [letter or words …] [--browser NAME] [--chosen] [--jobs N] [--list]`.
// The last line, "e2e: N passed, N failed", is for cargo xtask test.

import { readdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BROWSERS } from './harness/browsers/index.mjs';
import { scenariosFor, strayNames } from './harness/matrix.mjs';
import { run, select } from './harness/runner.mjs';
import { Stack, missing } from './harness/stack.mjs';
import { World } from './harness/world.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    browser: { type: 'string', default: 'chromium' },
    chosen: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const here = new URL('.', import.meta.url);
for (const file of (await readdir(new URL('scenarios/', here))).sort()) await import(new URL(`scenarios/${file}`, here));

const stray = strayNames(select([]));
if (stray.length > 0) fail(`harness/matrix.mjs names scenarios that do not exist:\n${stray.join('\n')}`);
const kind = BROWSERS[values.browser];
if (!kind) fail(`there is no browser ${values.browser}; there are ${Object.keys(BROWSERS).join(', ')}`);
const chosen = scenariosFor(values.browser, select(positionals), values);
if (values.list) {
  for (const { name } of chosen) console.log(name);
  process.exit(0);
}
if (chosen.length === 0) fail(`no scenario matches ${positionals.join(' ')}; --list shows them all`);

const lacking = [...kind.missing(), ...missing()];
if (lacking.length > 0) fail(lacking.join('\n'));

if (positionals.length === 0) await rm(artefactsOf(values.browser), { recursive: true, force: true });

const browser = await kind.start();
let shared;
const sharedStack = () => (shared ??= Stack.start({ pageScript: browser.pageScript }));

const outcome = await run(chosen, {
  // One more than there are processors: much of a scenario is waiting.
  jobs: Number(values.jobs ?? kind.jobs ?? availableParallelism() + 1),
  slowness: kind.slowness,
  makeWorld: (name) => new World(name, { browser, sharedStack, artefacts: artefactsOf(values.browser) }),
  print: console.log,
});

await browser.close();
if (shared) await (await shared.catch(() => undefined))?.stop();

console.log(`e2e: ${outcome.passed} passed, ${outcome.failed} failed`);
process.exit(outcome.failed === 0 ? 0 : 1);

/** Pictures of Debian's Chromium lie in the folder itself, those of the others in one for each browser. */
function artefactsOf(name) {
  return fileURLToPath(new URL(name === 'chromium' ? 'artefacts/' : `artefacts/${name}/`, here));
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
