// Two releases at once: rolling updates and caches hand a page files of both.

import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { hostPageIsWhole } from '../harness/host_page.mjs';
import { money } from '../harness/money.mjs';
import { anotherRelease, filesOf } from '../harness/releases.mjs';
import { scenario } from '../harness/runner.mjs';
import { PATHS } from '../harness/stack.mjs';
import { visitOffer, visitPlans } from '../harness/visits.mjs';

const TYPES = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };

/** Parts whose name says their content, and the glue alone. */
const PART = /\.[0-9a-f]{16}\.(js|wasm)$/;
const GLUE = /^upsell_(offer|plans)(\.[0-9a-f]{16})?\.js$/;

/** A cache between page and proxy holds these files of an earlier release: `{name: content}`. */
async function cached(page, proxy, files) {
  await page.route(`${proxy.url}/**`, (route) => {
    const { pathname, search } = new URL(route.request().url());
    const name = pathname.slice(1);
    if (search || !files.has(name)) return route.fallback();
    return route.fulfill({
      body: files.get(name),
      contentType: TYPES[name.split('.').at(-1)],
      headers: { 'access-control-allow-origin': '*' },
    });
  });
}

const only = (files, pattern) => new Map([...files].filter(([name]) => pattern.test(name)));

for (const [kind, visit] of [['offer', visitOffer], ['plans', visitPlans]]) {
  const works = async ({ page, offer, plans }) => {
    if (offer) {
      await offer.accept();
      await offer.receiptShows(money(12900));
    } else {
      await plans.preview('Pro');
      await page.keyboard.press('Escape');
    }
    await hostPageIsWhole(page);
  };

  scenario(`w. releases: ${kind}, the loader is new and a cache holds the old glue`, async (world) => {
    const stack = await world.ownStack({ widget: await anotherRelease(world, PATHS.widget) });
    const visited = await visit(world, stack);
    await cached(visited.page, stack.proxy, only(await filesOf(PATHS.widget), GLUE));
    await visited.page.goto(visited.address);
    await works(visited);
  });

  scenario(`w. releases: ${kind}, the loader is old and its parts are gone`, async (world) => {
    const stack = await world.ownStack({ widget: await anotherRelease(world, PATHS.widget) });
    const profile = await world.profile();
    const visited = await visit(world, stack, { profile });
    await cached(visited.page, stack.proxy, only(await filesOf(PATHS.widget), /^upsell\.js$/));
    await visited.page.goto(visited.address);
    await works(visited);
    assert.equal(profile.requestsTo(/upsell\.js\?fresh=/).length, 1, 'the newest loader is fetched once');
  });

  scenario(`w. releases: ${kind}, the loader is old and gets a part that does not link`, async (world) => {
    const other = await anotherRelease(world, PATHS.widget);
    const stack = await world.ownStack({ widget: other });
    const visited = await visit(world, stack);
    const [own, newer] = [await filesOf(PATHS.widget), await filesOf(other)];
    const glueOf = (files) => [...files.keys()].find((name) => GLUE.test(name) && name.includes(kind));
    own.set(glueOf(own), newer.get(glueOf(newer)));
    await cached(visited.page, stack.proxy, only(own, /^upsell\.js$|\.[0-9a-f]{16}\./));
    await visited.page.goto(visited.address);
    await works(visited);
  });

  scenario(`w. releases: ${kind}, the loader is old and its parts are kept`, async (world) => {
    const other = await anotherRelease(world, PATHS.widget);
    for (const name of (await filesOf(PATHS.widget)).keys()) {
      if (PART.test(name)) await cp(join(PATHS.widget, name), join(other, name));
    }
    const stack = await world.ownStack({ widget: other });
    const profile = await world.profile();
    const visited = await visit(world, stack, { profile });
    await cached(visited.page, stack.proxy, only(await filesOf(PATHS.widget), /^upsell\.js$/));
    await visited.page.goto(visited.address);
    await works(visited);
    assert.equal(profile.requestsTo(/fresh=/).length, 0, 'nothing is fetched past caches');
  });
}

scenario('w. releases: the widget is not to be had at all, which is tried twice and said once', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const { page, offer, address } = await visitOffer(world, stack, { profile });
  await page.route(/\/element[.\w]*\.js$/, (route) => route.fulfill({ status: 404 }));
  await page.goto(address);
  await page.waitForFunction(() => window.e2e.events.some(({ name }) => name === 'upsell-failed'));
  await offer.gone();
  assert.equal(profile.requestsTo(/upsell\.js\?fresh=/).length, 1);
  assert.deepEqual(profile.warnings.filter((text) => text.includes('could not be loaded')).length, 1);
  await hostPageIsWhole(page);
});

scenario('w. releases: the standalone page of the old release, whose files are gone', async (world) => {
  const stack = await world.ownStack({ spa: await anotherRelease(world, PATHS.spa) });
  const { proxy } = stack;
  const { page, token } = await visitPlans(world, stack);
  const old = (await filesOf(PATHS.spa)).get('index.html').toString();
  await page.route(`${proxy.url}/upgrade/**`, (route) => {
    if (!route.request().isNavigationRequest()) return route.fallback();
    return route.fulfill({ body: old, contentType: 'text/html' });
  });
  await page.goto(`${proxy.url}/upgrade/#token=${token}`);
  await page.getByRole('button', { name: /Pro/ }).first().waitFor();
  await world.shot(page, 'shown');
});
