// Collects scenarios and runs them, a few at a time, each in a world of its own. Knows nothing of offers or plans.

import { performance } from 'node:perf_hooks';

const registry = [];

/**
 * Declares a scenario. `name` starts with the letter it has in the list of end-to-end scenarios ("a. pays, …");
 * `body` gets a fresh World. Options: `timeout` in milliseconds (default 60 s).
 */
export function scenario(name, ...rest) {
  const body = rest.pop();
  const options = rest.pop() ?? {};
  if (registry.some((s) => s.name === name)) throw new Error(`two scenarios are called "${name}"`);
  registry.push({ name, body, timeout: options.timeout ?? 60_000 });
}

/** Scenarios whose letter or whose name matches one of the words given; all of them without words. */
export function select(words) {
  if (words.length === 0) return [...registry];
  return registry.filter(({ name }) =>
    words.some((word) => name.startsWith(`${word}. `) || (word.length > 2 && name.includes(word))),
  );
}

/** A short name that can stand in a file name: "a. pays, accepts" becomes "a-pays-accepts". */
export function slug(name) {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

/**
 * Runs the scenarios, `jobs` at a time, and says how each went. Each may take `slowness` times as long as it asks for.
 * Returns how many passed and failed.
 */
export async function run(scenarios, { jobs, slowness = 1, makeWorld, print }) {
  const queue = [...scenarios];
  const outcome = { passed: 0, failed: 0, failures: [] };
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const started = performance.now();
      const error = await attempt({ ...next, timeout: next.timeout * slowness }, makeWorld);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (error) {
        outcome.failed += 1;
        outcome.failures.push({ name: next.name, error });
        print(`FAIL ${next.name} (${seconds} s)\n${indent([ownFrames(error), ...(error.trace ?? [])].join('\n'))}`);
      } else {
        outcome.passed += 1;
        print(`ok   ${next.name} (${seconds} s)`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, queue.length) }, worker));
  return outcome;
}

/** One scenario from opening its world to closing it. Returns the first error, or nothing. */
async function attempt({ name, body, timeout }, makeWorld) {
  const world = makeWorld(name);
  let error;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${timeout / 1000} s`)), timeout);
  });
  try {
    await Promise.race([body(world), late]);
    world.assertNothingBroke();
  } catch (caught) {
    error = caught;
    error.trace = world.trace().slice(-40);
    await world.shotsOfFailure();
  } finally {
    clearTimeout(timer);
  }
  try {
    await world.close();
  } catch (caught) {
    error ??= caught;
  }
  return error;
}

/** The error with those lines of its stack that are the scenario's or the harness's. */
function ownFrames(error) {
  const frame = /^\s+at /;
  return String(error.stack ?? error)
    .split('\n')
    .filter((line) => !frame.test(line) || (line.includes('/e2e/') && !/node_modules|runner\.mjs|run\.mjs/.test(line)))
    .join('\n');
}

function indent(text) {
  return text.split('\n').map((line) => `     ${line}`).join('\n');
}
