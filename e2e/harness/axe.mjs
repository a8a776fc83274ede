// axe-core in the page, shadow roots included.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** axe finds nothing against WCAG 2.2 AA and its own best practices. `but` names rules that the scenario's page itself breaks. */
export async function mustBeAccessible(page, { but = [] } = {}) {
  await page.evaluate(source);
  const violations = await page.evaluate(async (left) => {
    const { violations: found } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      rules: Object.fromEntries(left.map((rule) => [rule, { enabled: false }])),
    });
    return found.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')} ${node.any[0]?.message ?? ''}`));
  }, but);
  assert.deepEqual(violations, [], 'axe-core');
}
