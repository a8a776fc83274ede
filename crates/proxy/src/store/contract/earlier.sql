INSERT INTO tenants (merchant, mode, store) VALUES ('shop', 'test', 'st_old');
INSERT INTO offers (tenant, id, customer_id, campaign, trigger_ref, equivalence, kind, plan, state, created_at, expires_at)
SELECT id, 'of_1', 'cus_1', 'kit', 'pay_0', 'product:prod_kit', 'cross_sell',
       '{"checkout":{"product_id":"prod_kit","quantity":1,"billing":{"country":"US","street":"1 Market St","city":"SF","state":"CA","zipcode":"94105"},"discount_codes":[]}}', 'charged', 1, 2
FROM tenants;
INSERT INTO quotes (tenant, id, customer_id, quote, plan, name, basis_hash, expires_at)
SELECT id, 'qt_1', 'cus_1',
       '{"id":"qt_1","currency":"USD","lines":[],"tax":0,"credit":0,"total":1900,"effective_at":"immediately","expires_at":400,"expires_in":300}',
       '{"checkout":{"product_id":"prod_kit","quantity":1,"billing":{"country":"US","street":"1 Market St","city":"SF","state":"CA","zipcode":"94105"},"discount_codes":[]}}', 'Kit', '', 400
FROM tenants;
INSERT INTO attempts (tenant, id, offer_id, no, customer_id, quote_id, kind, fingerprint, state, consent, payment_id,
                      created_at, lease_until, lease_owner)
SELECT id, 'at_1', 'of_1', 1, 'cus_1', 'qt_1', 'one_click', $FINGERPRINT, 'succeeded',
       '{"amount":1900,"currency":"USD","at":100,"shown":null}', 'pay_1', 100, 0, 'px_1'
FROM tenants;
INSERT INTO payments (tenant, payment_id, attempt_id, status, amount, currency, seen_at)
SELECT id, 'pay_1', 'at_1', 'succeeded', 1900, 'USD', 101 FROM tenants;
INSERT INTO refund_orders (tenant, payment_id, cause, amount, state, created_at)
SELECT id, 'pay_1', 'surplus', 5, 'done', 102 FROM tenants;
INSERT INTO purchases (tenant, payment_id, customer_id, product_ids, billing, paid_at)
SELECT id, 'pay_0', 'cus_1', '["prod_course"]',
       '{"country":"US","street":"1 Market St","city":"SF","state":"CA","zipcode":"94105"}', 50 FROM tenants;
INSERT INTO declines (tenant, customer_id, offer_id, equivalence, campaign, at)
SELECT id, 'cus_1', 'of_0', 'product:prod_old', 'kit', 60 FROM tenants;
INSERT INTO inbox (tenant, webhook_id, kind, raw, received_at, applied_at)
SELECT id, 'msg_1', 'payment.succeeded', $FINGERPRINT, 100, 101 FROM tenants;
INSERT INTO inbox (tenant, webhook_id, kind, raw, received_at, applied_at)
SELECT id, 'msg_applied', 'payment.succeeded', $FINGERPRINT, 100, 101 FROM tenants
UNION ALL SELECT id, 'msg_kept', 'payment.succeeded', $FINGERPRINT, 100, NULL FROM tenants
UNION ALL SELECT id, 'msg_strange', 'unreadable', $FINGERPRINT, 100, NULL FROM tenants;
