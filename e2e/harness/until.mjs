// Waiting for something that has no event to wait for: ask again until a deadline.

/**
 * Asks until the answer is truthy and returns it. Fails after `within` milliseconds, saying what it waited for and what
 * the last answer or error was.
 */
export async function until(what, ask, { within = 10_000, every = 50 } = {}) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    try {
      last = await ask();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`waited ${within / 1000} s for ${what}; last seen: ${seen}`);
    }
    await new Promise((done) => setTimeout(done, every));
  }
}
