// Two releases of the widget's files: the one that was built, and another whose glue and modules do not go with it.

import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BY_CONTENT = /^(.+)\.[0-9a-f]{16}\.(\w+)$/;

/** The name that the build gives to this content. */
function nameOf(name, content) {
  const [, stem, extension] = BY_CONTENT.exec(name);
  return `${stem}.${createHash('sha256').update(content).digest('hex').slice(0, 16)}.${extension}`;
}

/** The files of a folder, by name; compressed copies are left out. */
export async function filesOf(folder) {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
  const plain = names.filter((name) => !/\.(br|gz)$/.test(name));
  return new Map(await Promise.all(plain.map(async (name) => [name, await readFile(join(folder, name))])));
}

/**
 * Makes a release like the one in `folder`, and returns its own folder. Glue and module call what they share by another name,
 * so that neither goes with the module or glue of `folder`: mixed, they do not link.
 */
export async function anotherRelease(world, folder) {
  const into = await mkdtemp(join(tmpdir(), 'upsell-release-'));
  world.onClose(() => rm(into, { recursive: true, force: true }));
  await cp(folder, into, { recursive: true });
  for (const name of await readdir(into)) if (/\.(br|gz)$/.test(name)) await rm(join(into, name));
  const renamed = [];
  for (const [name, content] of await filesOf(into)) {
    const changed = Buffer.from(
      content.toString('latin1').replaceAll(/__wbindgen_(?=\w)|__wbg_(?=\w)/g, (found) => found.replace('__wb', '__xb')),
      'latin1',
    );
    const isPart = /_bg|upsell_(offer|plans)|^spa/.test(name) && /\.(js|wasm)$/.test(name);
    if (!isPart) continue;
    await writeFile(join(into, name), changed);
    if (!BY_CONTENT.test(name)) continue;
    const named = nameOf(name, changed);
    await rename(join(into, name), join(into, named));
    renamed.push([name, named]);
  }
  for (const namer of ['upsell.js', 'index.html']) {
    const text = await readFile(join(into, namer), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const named = renamed.reduce((text, [from, to]) => text.replaceAll(from, to), text);
    // Of the content that was changed; without them the browser checks nothing.
    await writeFile(join(into, namer), named.replaceAll(/ integrity="[^"]*"/g, ''));
  }
  return into;
}
