import assert from 'node:assert/strict';
import { hostPageIsWhole } from '../harness/host_page.mjs';
import { tag } from '../harness/merchant_pages.mjs';
import { scenario } from '../harness/runner.mjs';
import { until } from '../harness/until.mjs';
import { visitOffer } from '../harness/visits.mjs';

const GOOD_TOKEN = 'e2e-token';
const HOSTILE = {
  'no endpoint': { endpoint: null },
  'an empty endpoint': { endpoint: ' ' },
  'a javascript: endpoint': { endpoint: 'javascript:window.pwned=1' },
  'a data: endpoint': { endpoint: 'data:application/json,{"eligible":true}' },
  'a blob: endpoint': { endpoint: 'blob:https://shop.example/1' },
  'an ftp: endpoint': { endpoint: 'ftp://shop.example/v1/upsell' },
  'an endpoint with a password': { endpoint: 'https://user:secret@shop.example/v1/upsell' },
  'an endpoint with a query': { endpoint: 'https://shop.example/v1/upsell?customer=cus_1' },
  'an endpoint that is no address': { endpoint: 'https://[' },
  'a token with a line break': { endpoint: '/v1/upsell', token: 'a\r\nX-Evil: 1' },
  'a token with markup': { endpoint: '/v1/upsell', token: '"><script>window.pwned=1</script> ' },
  'a token beyond ASCII': { endpoint: '/v1/upsell', token: 'tökén' },
  'a token of a megabyte': { endpoint: '/v1/upsell', token: 'x'.repeat(1 << 20) },
};

for (const [what, attributes] of Object.entries(HOSTILE)) {
  scenario(`n. ${what}: a warning for the developer, nothing on the page`, async (world) => {
    const { proxy, pages } = await world.stack();
    const profile = await world.profile();
    const page = await profile.page();
    await page.goto(pages.publish({ head: tag(proxy), body: '<div id="here"></div>' }));
    await page.waitForFunction(() => customElements.get('upsell-offer') && customElements.get('upsell-plans'));
    for (const name of ['upsell-offer', 'upsell-plans']) {
      profile.warnings.length = 0;
      profile.requests.length = 0;
      await page.evaluate(
        ([tag, given]) => {
          const element = document.createElement(tag);
          for (const [key, value] of Object.entries(given)) if (value !== null) element.setAttribute(key, value);
          document.querySelector('#here').append(element);
        },
        [name, { token: GOOD_TOKEN, ...attributes }],
      );
      await until(`a warning about <${name}>`, () => profile.warnings.some((text) => text.includes(name)));
      assert.equal(profile.warnings.length, 1, 'one warning');
      assert.deepEqual(profile.requests, [], 'nothing was asked of anybody');
      const height = await page.locator(name).evaluate((element) => element.getBoundingClientRect().height);
      assert.equal(height, 0, 'nothing is rendered');
    }
    await hostPageIsWhole(page);
  });
}

/** What is a matter of looks stops nothing: see also the scenarios with the letter w. */
const COSMETIC = {
  'a locale with markup': { locale: '<img src=x onerror=window.pwned=1>' },
  'a locale that is no language': { locale: '../../etc/passwd' },
  'an unknown theme': { theme: 'blink' },
};

for (const [what, attributes] of Object.entries(COSMETIC)) {
  scenario(`n. ${what}: a warning for the developer, and the offer all the same`, async (world) => {
    const stack = await world.stack();
    const profile = await world.profile();
    const { page, offer, token } = await visitOffer(world, stack, { profile });
    await page.goto(stack.pages.publish({ head: tag(stack.proxy), body: '<div id="here"></div>' }));
    await page.evaluate((given) => {
      const element = document.createElement('upsell-offer');
      for (const [key, value] of Object.entries(given)) element.setAttribute(key, value);
      document.querySelector('#here').append(element);
    }, { token, endpoint: `${stack.proxy.url}/v1/upsell`, ...attributes });
    await offer.shown();
    assert.equal(profile.warnings.length, 1, profile.warnings.join('\n'));
    const [asked] = profile.requestsTo(/\/v1\/upsell\?/);
    assert.match(asked.url, /\?locale=en&languages=en,ja$/);
    await hostPageIsWhole(page);
  });
}

scenario('n. attributes that turn good turn the element on, and off again', async (world) => {
  const stack = await world.stack();
  const profile = await world.profile();
  const { page, token, offer } = await visitOffer(world, stack, { profile });
  await page.goto(stack.pages.publish({
    head: tag(stack.proxy),
    body: `<upsell-offer token="${token}"></upsell-offer>`,
  }));
  await until('the warning', () => profile.warnings.length > 0);
  await offer.element.evaluate((element, endpoint) => element.setAttribute('endpoint', endpoint), `${stack.proxy.url}/v1/upsell`);
  await offer.shown();
  await offer.element.evaluate((element) => element.removeAttribute('endpoint'));
  await offer.gone();
});

scenario('n. properties set before the script arrives are honoured', async (world) => {
  const stack = await world.stack();
  const { page, token, offer } = await visitOffer(world, stack);
  await page.goto(stack.pages.publish({ body: '<upsell-offer></upsell-offer>' }));
  await offer.element.evaluate((element, given) => Object.assign(element, given), {
    endpoint: `${stack.proxy.url}/v1/upsell`,
    token,
    locale: 'ja',
  });
  await page.addScriptTag({ type: 'module', url: stack.proxy.script });
  await offer.shown();
  assert.match(await offer.declineButton.innerText(), /結構です/);
});
