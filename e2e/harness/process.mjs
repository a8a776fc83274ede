// Child processes of a stack: started, waited for until they say they listen, and ended with the run.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the range from which the system takes ports for outgoing connections: one of those could take a port between
// our look and the program's start. Runs side by side start at different places.
let nextPort = 20_000 + ((process.pid * 61) % 11_000);

/** A port that nobody listens on, never given out twice by this process. */
export async function freePort() {
  for (;;) {
    const port = nextPort;
    nextPort = nextPort >= 31_999 ? 20_000 : nextPort + 1;
    if (await isFree(port)) return port;
  }
}

async function isFree(port) {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}

/** What this process has started and not seen end. None of it outlives a run that is called off. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/**
 * Starts a program and waits until a line of its output matches `ready`. Fails with the tail of its output when it ends
 * or stays silent for 30 s. Without `ready` the caller waits for what the program brings.
 */
export async function startProcess(name, program, args, { env = {}, ready }) {
  const child = spawn(program, args, { env: { ...baseEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const tail = [];
  let announce;
  const announced = new Promise((resolve) => {
    announce = resolve;
    if (!ready) resolve();
  });
  const read = (stream) => {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        tail.push(line);
        if (tail.length > 400) tail.shift();
        if (ready?.test(line)) announce();
      }
    });
  };
  read(child.stdout);
  read(child.stderr);
  const died = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${name} ended (${signal ?? code}) before it was ready:\n${tail.join('\n')}`);
  });
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(`${name} cannot be started: ${error.message}`);
  });
  let timer;
  const silent = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} is not ready after 30 s:\n${tail.join('\n')}`)), 30_000);
  });
  // Whichever of these loses the race must not count as an unhandled rejection later.
  for (const promise of [died, failed]) promise.catch(() => {});
  try {
    await Promise.race([announced, died, failed, silent]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    name,
    tail,
    /** Ends it: politely first, then not. */
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(force);
    },
  };
}

/** Only what a program needs to run: settings of the caller's shell must not reach the stack. */
function baseEnv() {
  const { PATH, HOME, TMPDIR, LANG, RUST_BACKTRACE } = process.env;
  return Object.fromEntries(
    Object.entries({ PATH, HOME, TMPDIR, LANG, RUST_BACKTRACE }).filter(([, value]) => value !== undefined),
  );
}
