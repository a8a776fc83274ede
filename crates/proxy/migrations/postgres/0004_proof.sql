-- What makes a payment an attempt's own, what was agreed just before sending, and money that fell short and waits for a
-- person.
ALTER TABLE attempts DROP CONSTRAINT attempts_state_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_state_check
    CHECK (state IN ('claimed', 'released', 'sent', 'unknown', 'pending', 'failed', 'abandoned', 'scheduled', 'underpaid',
                     'dismissed', 'succeeded'));
-- The amount of the preview that was made just before sending, in minor units of the quote's currency.
ALTER TABLE attempts ADD COLUMN agreed BIGINT;
DROP INDEX one_attempt_per_offer;
CREATE UNIQUE INDEX one_attempt_per_offer ON attempts (tenant, offer_id)
    WHERE offer_id IS NOT NULL AND NOT surplus
      AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'scheduled', 'underpaid', 'succeeded');

ALTER TABLE refund_orders DROP CONSTRAINT refund_orders_cause_check;
ALTER TABLE refund_orders ADD CONSTRAINT refund_orders_cause_check
    CHECK (cause IN ('late', 'surplus', 'above_quote', 'underpaid'));

-- What makes it the attempt's own. Payments from before this was asked were taken for that.
ALTER TABLE payments ADD COLUMN proof TEXT NOT NULL DEFAULT 'our_id'
    CHECK (proof IN ('old_name', 'code', 'our_id'));
-- Who paid, where that is not the attempt's buyer.
ALTER TABLE payments ADD COLUMN paid_by TEXT;
-- The subscription that it began: further payments of that one are renewals.
ALTER TABLE payments ADD COLUMN subscription_id TEXT;
CREATE INDEX payments_by_subscription ON payments (tenant, subscription_id) WHERE subscription_id IS NOT NULL;

-- Payments that name an attempt and are none of its: a person is told of each once.
CREATE TABLE foreign_payments (
    tenant     BIGINT NOT NULL REFERENCES tenants (id),
    payment_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    why        TEXT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment_id)
);

-- Keys that charges were signed with, to tell when one is missing. Nothing here can sign.
CREATE TABLE tag_keys (
    tenant      BIGINT NOT NULL REFERENCES tenants (id),
    id          TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seen_at     BIGINT NOT NULL,
    retired_at  BIGINT,
    PRIMARY KEY (tenant, id)
);

-- Attempts from this time on carry a code. A store that is made from here on has none without.
ALTER TABLE tenants ADD COLUMN signed_since BIGINT NOT NULL DEFAULT 0;
UPDATE tenants SET signed_since = floor(extract(epoch FROM now()))::bigint;
