// Points Dodo's official SDK at a running simulator: node check.mjs BASE_URL. Prints one line per promise that is
// broken and a closing line `sdk: N calls, M webhooks, K broken`; ends with 1 when any is.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import DodoPayments from 'dodopayments';
import { promises } from './promises.mjs';

const [baseURL] = process.argv.slice(2);
assert.ok(baseURL, 'usage: node check.mjs BASE_URL');
const KEY = 'dodo_test_sim_key';
const SECRET = 'whsec_ZG9kby1zaW0tdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OSE=';

const method = (path) =>
  path.split('.').reduce((type, part) => `${type}['${part}']`, 'Client');
const answer = (path) => `Answer<${method(path)}>`;
const item = (path) => `Item<${method(path)}>`;

const promised = promises({
  checkoutCreate: answer('checkoutSessions.create'),
  checkoutRetrieve: answer('checkoutSessions.retrieve'),
  checkoutPreview: answer('checkoutSessions.preview'),
  paymentRetrieve: answer('payments.retrieve'),
  paymentItem: item('payments.list'),
  paymentLines: answer('payments.retrieveLineItems'),
  refundCreate: answer('refunds.create'),
  refundRetrieve: answer('refunds.retrieve'),
  refundItem: item('refunds.list'),
  subscriptionRetrieve: answer('subscriptions.retrieve'),
  subscriptionUpdate: answer('subscriptions.update'),
  subscriptionItem: item('subscriptions.list'),
  planPreview: answer('subscriptions.previewChangePlan'),
  planChange: answer('subscriptions.changePlan'),
  updateMethod: answer('subscriptions.updatePaymentMethod'),
  customerCreate: answer('customers.create'),
  customerRetrieve: answer('customers.retrieve'),
  customerItem: item('customers.list'),
  paymentMethods: answer('customers.retrievePaymentMethods'),
  wallets: answer('customers.wallets.list'),
  portal: answer('customers.customerPortal.create'),
  productRetrieve: answer('products.retrieve'),
  productItem: item('products.list'),
  addonRetrieve: answer('addons.retrieve'),
  addonItem: item('addons.list'),
  discountByCode: answer('discounts.retrieveByCode'),
  webhookDetails: `${answer('webhooks.list')}['data'][number]`,
  webhookSecret: answer('webhooks.retrieveSecret'),
  webhookEnvelope: "Omit<Webhook, 'data'>",
  webhookPayment: "Extract<Webhook['data'], { payload_type: 'Payment' }>",
  webhookRefund: "Extract<Webhook['data'], { payload_type: 'Refund' }>",
  webhookSubscription: "Extract<Webhook['data'], { payload_type: 'Subscription' }>",
});

const broken = [];
const checked = new Set();

/** Checks a value and hands it on. */
function keeps(name, value) {
  checked.add(name);
  broken.push(...promised[name](value));
  return value;
}

/** A list's items; a list without any would check nothing. */
function keepsEach(name, page) {
  assert.ok(page.items.length > 0, `${name}: the list is empty`);
  for (const each of page.items) keeps(name, each);
  return page.items;
}

async function control(path, body, verb = 'POST') {
  const response = await fetch(`${baseURL}/_sim/${path}`, {
    method: verb,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

/** Receives webhooks, verifies each with the SDK and keeps it. */
async function receiver(client) {
  const received = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      try {
        received.push({ body, headers: request.headers, event: client.webhooks.unwrap(body, { headers: request.headers, key: SECRET }) });
        response.writeHead(204).end();
      } catch (error) {
        broken.push(`webhook: ${error.message}`);
        response.writeHead(400).end();
      }
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  await control('webhooks/endpoint', { url: `http://127.0.0.1:${server.address().port}/hook`, secret: SECRET });
  return { received, close: () => new Promise((done) => server.close(done)) };
}

const client = new DodoPayments({ bearerToken: KEY, webhookKey: SECRET, baseURL, maxRetries: 0 });
const billing = { country: 'DE', street: 'Weg 1', city: 'Berlin', state: 'BE', zipcode: '10115' };
const hooks = await receiver(client);

// Somebody with a card, who is in the catalogue's every corner.
const created = keeps('customerCreate', await client.customers.create({ email: 'sdk@example.test', name: 'S. Dk' }));
keeps('customerRetrieve', await client.customers.retrieve(created.customer_id));
const buyer = await control('customers', {
  email: 'buyer@example.test',
  name: 'B. Uyer',
  payment_methods: [
    { number: '4242424242424242', expiry_month: 12, expiry_year: 2034 },
    { payment_method: 'upi', payment_method_type: 'upi_collect' },
  ],
  billing,
});
keepsEach('customerItem', await client.customers.list({ email: 'buyer@example.test' }));
const methods = keeps('paymentMethods', await client.customers.retrievePaymentMethods(buyer.customer_id));
const method_id = methods.items[0].payment_method_id;
keepsEach('productItem', await client.products.list({ page_number: 0, page_size: 100 }));
for (const id of ['prod_pro_plan', 'prod_toolkit', 'prod_course_jp']) {
  keeps('productRetrieve', await client.products.retrieve(id));
}
keepsEach('addonItem', await client.addons.list());
keeps('addonRetrieve', await client.addons.retrieve('adn_seats'));
keeps('discountByCode', await client.discounts.retrieveByCode('TENOFF'));

// Where webhooks go.
const [endpoint] = (await client.webhooks.list()).data;
keeps('webhookDetails', endpoint);
assert.equal(keeps('webhookSecret', await client.webhooks.retrieveSecret(endpoint.id)).secret, SECRET);

// One click.
const cart = {
  product_cart: [{ product_id: 'prod_toolkit', quantity: 2 }],
  customer: { customer_id: buyer.customer_id },
  billing_address: billing,
  metadata: { attempt: 'at_1' },
  discount_codes: ['TENOFF'],
};
keeps('checkoutPreview', await client.checkoutSessions.preview(cart));
keeps(
  'checkoutPreview',
  await client.checkoutSessions.preview({
    product_cart: [{ product_id: 'prod_pro_plan', quantity: 1, addons: [{ addon_id: 'adn_seats', quantity: 2 }] }],
  }),
);
const session = keeps(
  'checkoutCreate',
  await client.checkoutSessions.create({ ...cart, payment_method_id: method_id, confirm: true }),
);
keeps('checkoutRetrieve', await client.checkoutSessions.retrieve(session.session_id));
const hosted = keeps('checkoutCreate', await client.checkoutSessions.create({ ...cart, return_url: 'https://shop.test/' }));
assert.match(hosted.session_id, /^cks_[A-Za-z0-9_-]{21}$/);
keeps('checkoutRetrieve', await client.checkoutSessions.retrieve(hosted.session_id));
const payment = keeps('paymentRetrieve', await client.payments.retrieve(session.payment_id));
assert.equal(payment.status, 'succeeded');
keeps('paymentLines', await client.payments.retrieveLineItems(payment.payment_id));
const refund = keeps('refundCreate', await client.refunds.create({ payment_id: payment.payment_id, reason: 'too dear' }));
keeps('refundRetrieve', await client.refunds.retrieve(refund.refund_id));
keepsEach('refundItem', await client.refunds.list());
const refunded = keeps('paymentRetrieve', await client.payments.retrieve(payment.payment_id));
assert.equal(refunded.refund_status, 'full');

// The check itself must be able to fail.
const { metadata, ...lacking } = payment;
for (const wrong of [lacking, { ...payment, total_amount: '1' }, { ...payment, status: 'paid' }]) {
  assert.equal(promised.paymentRetrieve(wrong).length, 1);
}

// A plan, up, down, later, not at all.
const { subscription_id } = await control('subscriptions', {
  customer_id: buyer.customer_id,
  product_id: 'prod_basic_plan',
  started_days_ago: 10,
});
const up = {
  product_id: 'prod_pro_plan',
  quantity: 1,
  proration_billing_mode: 'difference_immediately',
  on_payment_failure: 'prevent_change',
  addons: [{ addon_id: 'adn_seats', quantity: 1 }],
};
const down = { product_id: 'prod_basic_plan', quantity: 1, proration_billing_mode: 'prorated_immediately' };
const later = { ...down, proration_billing_mode: 'full_immediately', effective_at: 'next_billing_date' };
keeps('subscriptionRetrieve', await client.subscriptions.retrieve(subscription_id));
keeps('planPreview', await client.subscriptions.previewChangePlan(subscription_id, up));
keeps('planChange', await client.subscriptions.changePlan(subscription_id, up));
keeps('planPreview', await client.subscriptions.previewChangePlan(subscription_id, down));
keeps('planChange', await client.subscriptions.changePlan(subscription_id, down));
keeps('planPreview', await client.subscriptions.previewChangePlan(subscription_id, later));
keeps('planChange', await client.subscriptions.changePlan(subscription_id, later));
keeps('subscriptionRetrieve', await client.subscriptions.retrieve(subscription_id));
await client.subscriptions.cancelChangePlan(subscription_id);
keeps('updateMethod', await client.subscriptions.updatePaymentMethod(subscription_id, {
  payment_method: { type: 'existing', payment_method_id: method_id },
}));
keeps('updateMethod', await client.subscriptions.updatePaymentMethod(subscription_id, {
  payment_method: { type: 'new', return_url: 'https://shop.test/' },
}));
keeps('subscriptionUpdate', await client.subscriptions.update(subscription_id, { metadata: { note: 'x' } }));
keepsEach('subscriptionItem', await client.subscriptions.list({ customer_id: buyer.customer_id }));
keepsEach('paymentItem', await client.payments.list({ customer_id: buyer.customer_id, page_number: 0 }));
assert.ok(keeps('wallets', await client.customers.wallets.list(buyer.customer_id)).items.length > 0);
keeps('portal', await client.customers.customerPortal.create(buyer.customer_id, { return_url: 'https://shop.test/' }));
await client.customers.deletePaymentMethod(methods.items[1].payment_method_id, { customer_id: buyer.customer_id });

// What does not go well has the same shape: a decline, a trial, a hold.
const unlucky = await control('customers', {
  email: 'unlucky@example.test',
  name: 'U. Nlucky',
  payment_methods: [{ number: '4000000000000341' }],
  billing,
});
const [failing] = (await client.customers.retrievePaymentMethods(unlucky.customer_id)).items;
const theirs = { ...cart, customer: { customer_id: unlucky.customer_id }, payment_method_id: failing.payment_method_id, confirm: true };
const refused = await client.checkoutSessions.create(theirs);
assert.equal(keeps('paymentRetrieve', await client.payments.retrieve(refused.payment_id)).status, 'failed');
const trial = { ...theirs, product_cart: [{ product_id: 'prod_pro_plan', quantity: 1 }], subscription_data: { trial_period_days: 3 } };
keeps('checkoutPreview', await client.checkoutSessions.preview(trial));
const begun = await client.checkoutSessions.create(trial);
const [held] = keeps('paymentRetrieve', await client.payments.retrieve(begun.payment_id)).subscription_ids;
keeps('subscriptionRetrieve', await client.subscriptions.retrieve(held));
await control('clock', { advance_seconds: 4 * 86_400 });
assert.equal(keeps('subscriptionRetrieve', await client.subscriptions.retrieve(held)).status, 'on_hold');
const ended = await client.subscriptions.update(held, { status: 'cancelled' });
assert.equal(keeps('subscriptionUpdate', ended).status, 'cancelled');

// Errors arrive as the SDK's own.
await assert.rejects(
  client.payments.retrieve('pay_unknown'),
  (error) => error instanceof DodoPayments.NotFoundError && error.error.code === 'NOT_FOUND',
);
await assert.rejects(
  new DodoPayments({ bearerToken: 'wrong', baseURL, maxRetries: 0 }).payments.retrieve('pay_unknown'),
  DodoPayments.AuthenticationError,
);

// Webhooks: signed, and of the promised shape.
await control('webhooks/flush', { all: true });
await hooks.close();
const payloads = new Set();
for (const { event } of hooks.received) {
  payloads.add(event.data.payload_type);
  keeps('webhookEnvelope', event);
  keeps(`webhook${event.data.payload_type}`, event.data);
}
assert.deepEqual([...payloads].sort(), ['Payment', 'Refund', 'Subscription']);
const [{ body, headers }] = hooks.received;
assert.throws(() => client.webhooks.unwrap(body.replace('"', ' "'), { headers, key: SECRET }), /signature/i);

const unchecked = Object.keys(promised).filter((name) => !checked.has(name));
assert.deepEqual(unchecked, [], 'promises that nothing was held against');
for (const words of new Set(broken)) console.log(words);
console.log(`sdk: ${checked.size} kinds of answer, ${hooks.received.length} webhooks, ${new Set(broken).size} broken`);
process.exitCode = broken.length > 0 ? 1 : 0;
