import assert from 'node:assert/strict';
import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Offer } from '../harness/offer.mjs';
import { scenario } from '../harness/runner.mjs';
import { PATHS } from '../harness/stack.mjs';
import { until } from '../harness/until.mjs';
import { events } from '../harness/world.mjs';

scenario('b. declines and never sees it again', async (world) => {
  const { sim, proxy, pages } = await world.stack();
  const buyer = await sim.buyer();
  const purchase = await sim.purchase(buyer, 'prod_single_license');
  const token = await proxy.session(buyer, { payment_id: purchase.payment_id });
  const address = pages.offer(proxy, token);

  const profile = await world.profile();
  const page = await profile.page();
  await page.goto(address);
  const offer = new Offer(page);
  await offer.shown();
  await world.shot(page, '1-offer');
  await offer.decline();
  await offer.gone();
  await world.shot(page, '2-gone');
  await until('the decline at the proxy', async () => (await proxy.offerFor(buyer)).reason === 'declined');
  assert.ok((await events(page)).includes('upsell-declined'));

  const nothingAt = async (where, somePage, url) => {
    const answered = somePage.waitForResponse((response) => /\/v1\/upsell(\?|$)/.test(response.url()));
    await somePage.goto(url);
    const answer = await (await answered).json();
    assert.equal(answer.eligible, false, `${where}: the proxy offers nothing`);
    assert.equal(answer.reason, 'declined', `${where}: and says why`);
    await new Offer(somePage).gone();
    assert.deepEqual(await events(somePage), [], `${where}: no event`);
  };

  await nothingAt('after a reload', page, address);
  const other = await world.page();
  const owner = await proxy.session(buyer, { payment_id: purchase.payment_id });
  await nothingAt('in another browser', other, pages.offer(proxy, owner));
  const fresh = await proxy.session(buyer, { payment_id: purchase.payment_id });
  await nothingAt('with a new token', page, pages.offer(proxy, fresh));
  await page.evaluate(() => {
    localStorage.clear();
    sessionStorage.clear();
  });
  const later = await proxy.session(buyer, { payment_id: purchase.payment_id });
  await nothingAt('with storage cleared', page, pages.offer(proxy, later));
  assert.deepEqual(await sim.charges(buyer, { source: 'one_click' }), []);
});

scenario('b. a second campaign with the same product stays silent too', async (world) => {
  const directory = await mkdtemp(join(tmpdir(), 'upsell-e2e-rules-'));
  try {
    // The shipped rules, and another campaign that offers the team licence to buyers of something else.
    const rules = join(directory, 'upsell.toml');
    await writeFile(rules, `${await readFile(PATHS.rules, 'utf8')}\n${SECOND_CAMPAIGN}`);
    const { sim, proxy, pages } = await world.ownStack({ rules });
    const buyer = await sim.buyer();
    const first = await sim.purchase(buyer, 'prod_single_license');
    const token = await proxy.session(buyer, { payment_id: first.payment_id });
    const page = await world.page();
    await page.goto(pages.offer(proxy, token));
    const offer = new Offer(page);
    await offer.shown();
    await offer.decline();
    await offer.gone();
    await until('the decline at the proxy', async () => (await proxy.offerFor(buyer)).reason === 'declined');

    // A buyer who declined nothing is offered the same product by the second campaign …
    const stranger = await sim.buyer();
    const strangers = await sim.purchase(stranger, 'prod_toolkit');
    const control = await proxy.offerFor(stranger, { payment_id: strangers.payment_id });
    assert.equal(control.product?.id, 'prod_team_license', 'the second campaign works');

    // … and the buyer who declined it is not.
    const second = await sim.purchase(buyer, 'prod_toolkit');
    const again = await proxy.session(buyer, { payment_id: second.payment_id });
    const elsewhere = await world.page();
    await elsewhere.goto(pages.offer(proxy, again));
    await new Offer(elsewhere).gone();
    const answer = await proxy.offerFor(buyer, { payment_id: second.payment_id });
    assert.equal(answer.eligible, false);
    assert.equal(answer.reason, 'declined');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

const SECOND_CAMPAIGN = `
[[campaign]]
name = "team-license-for-toolkit-buyers"
bought = ["prod_toolkit"]
kind = "cross_sell"
product_id = "prod_team_license"

[campaign.text.en]
headline = "The team licence again"
benefits = ["For everybody"]
`;
