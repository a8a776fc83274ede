-- no-transaction
-- What makes a payment an attempt's own, what was agreed just before sending, and money that fell short and waits for a
-- person. SQLite cannot change a check of a table, so that two tables are made anew; rows of others point to one of them,
-- and are looked at again at the end. Without a transaction around it because keys between tables cannot be put aside
-- within one. A migration that was cut off is run again from its beginning.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

CREATE TABLE attempts_anew (
    tenant              INTEGER NOT NULL REFERENCES tenants (id),
    id                  TEXT NOT NULL,
    offer_id            TEXT,
    subscription_id     TEXT,
    no                  INTEGER NOT NULL,
    customer_id         TEXT NOT NULL,
    quote_id            TEXT NOT NULL,
    kind                TEXT NOT NULL CHECK (kind IN ('one_click', 'hosted', 'plan_change')),
    idem_key            TEXT,
    fingerprint         BLOB NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('claimed', 'released', 'sent', 'unknown', 'pending', 'failed',
                                                       'abandoned', 'scheduled', 'underpaid', 'dismissed',
                                                       'succeeded')),
    customer_action     INTEGER NOT NULL DEFAULT 0,
    failure             TEXT,
    replacement         TEXT,
    checkout_session_id TEXT,
    checkout_url        TEXT,
    payment_id          TEXT,
    receipt             TEXT, -- JSON
    consent             TEXT, -- JSON
    surplus             INTEGER NOT NULL DEFAULT 0,
    -- The amount of the preview that was made just before sending, in minor units of the quote's currency.
    agreed              INTEGER,
    created_at          INTEGER NOT NULL,
    lease_owner         TEXT,
    lease_until         INTEGER NOT NULL,
    next_check_at       INTEGER,
    checks              INTEGER NOT NULL DEFAULT 0,
    clean_looks         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, quote_id) REFERENCES quotes (tenant, id),
    FOREIGN KEY (tenant, offer_id) REFERENCES offers (tenant, id),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK (offer_id IS NOT NULL OR subscription_id IS NOT NULL)
) STRICT;
INSERT INTO attempts_anew (tenant, id, offer_id, subscription_id, no, customer_id, quote_id, kind, idem_key, fingerprint,
                           state, customer_action, failure, replacement, checkout_session_id, checkout_url, payment_id,
                           receipt, consent, surplus, created_at, lease_owner, lease_until, next_check_at, checks,
                           clean_looks)
SELECT tenant, id, offer_id, subscription_id, no, customer_id, quote_id, kind, idem_key, fingerprint, state,
       customer_action, failure, replacement, checkout_session_id, checkout_url, payment_id, receipt, consent, surplus,
       created_at, lease_owner, lease_until, next_check_at, checks, clean_looks
FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_anew RENAME TO attempts;

CREATE UNIQUE INDEX attempts_by_key ON attempts (tenant, customer_id, idem_key) WHERE idem_key IS NOT NULL;
CREATE UNIQUE INDEX attempts_by_number ON attempts (tenant, offer_id, no) WHERE offer_id IS NOT NULL;
-- At most one attempt of an offer that is live, has collected, or may yet turn out to have. `surplus` marks money that
-- came in beside such an attempt: it has to be written down, and is reported.
CREATE UNIQUE INDEX one_attempt_per_offer ON attempts (tenant, offer_id)
    WHERE offer_id IS NOT NULL AND surplus = 0
      AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'scheduled', 'underpaid', 'succeeded');
-- At most one live attempt on a subscription. Later changes are possible once it is settled or given up.
CREATE UNIQUE INDEX one_live_attempt_per_subscription ON attempts (tenant, subscription_id)
    WHERE subscription_id IS NOT NULL AND surplus = 0 AND state IN ('claimed', 'sent', 'unknown', 'pending');
CREATE INDEX attempts_by_payment ON attempts (tenant, payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX attempts_by_quote ON attempts (tenant, quote_id);
CREATE INDEX attempts_by_replacement ON attempts (tenant, replacement) WHERE replacement IS NOT NULL;
CREATE INDEX attempts_by_checkout ON attempts (tenant, checkout_session_id) WHERE checkout_session_id IS NOT NULL;
-- Changes of plan that were made, to count them: the latest first.
CREATE INDEX attempts_made ON attempts (tenant, created_at, id)
    WHERE kind = 'plan_change' AND state IN ('scheduled', 'succeeded');
CREATE INDEX attempts_due ON attempts (tenant, next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE refund_orders_anew (
    tenant        INTEGER NOT NULL REFERENCES tenants (id),
    payment_id    TEXT NOT NULL,
    cause         TEXT NOT NULL CHECK (cause IN ('late', 'surplus', 'above_quote', 'underpaid')),
    -- Absent: all of it.
    amount        INTEGER,
    state         TEXT NOT NULL CHECK (state IN ('due', 'sent', 'done', 'refused')),
    refund_id     TEXT,
    created_at    INTEGER NOT NULL,
    sent_at       INTEGER,
    lease_until   INTEGER NOT NULL DEFAULT 0,
    lease_owner   TEXT,
    next_check_at INTEGER,
    checks        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, payment_id, cause)
) STRICT, WITHOUT ROWID;
INSERT INTO refund_orders_anew (tenant, payment_id, cause, amount, state, refund_id, created_at, sent_at, lease_until,
                                lease_owner, next_check_at, checks)
SELECT tenant, payment_id, cause, amount, state, refund_id, created_at, sent_at, lease_until, lease_owner, next_check_at,
       checks
FROM refund_orders;
DROP TABLE refund_orders;
ALTER TABLE refund_orders_anew RENAME TO refund_orders;
CREATE INDEX refund_orders_by_refund ON refund_orders (tenant, refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX refund_orders_due ON refund_orders (tenant, next_check_at) WHERE next_check_at IS NOT NULL;

-- The same for payments, so that this file can be run again.
CREATE TABLE payments_anew (
    tenant          INTEGER NOT NULL REFERENCES tenants (id),
    payment_id      TEXT NOT NULL,
    attempt_id      TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('pending', 'failed', 'succeeded')),
    amount          INTEGER,
    currency        TEXT,
    -- Money that came in although the attempt had been paid by another payment already, or that fell short.
    surplus         INTEGER NOT NULL DEFAULT 0,
    -- What makes it the attempt's own. Payments from before this was asked were taken for that.
    proof           TEXT NOT NULL DEFAULT 'our_id' CHECK (proof IN ('old_name', 'code', 'our_id')),
    -- Who paid, where that is not the attempt's buyer.
    paid_by         TEXT,
    -- The subscription that it began: further payments of that one are renewals.
    subscription_id TEXT,
    seen_at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, payment_id),
    FOREIGN KEY (tenant, attempt_id) REFERENCES attempts (tenant, id),
    CHECK ((amount IS NULL) = (currency IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO payments_anew (tenant, payment_id, attempt_id, status, amount, currency, surplus, seen_at)
SELECT tenant, payment_id, attempt_id, status, amount, currency, surplus, seen_at FROM payments;
DROP TABLE payments;
ALTER TABLE payments_anew RENAME TO payments;
CREATE UNIQUE INDEX one_payment_per_attempt ON payments (tenant, attempt_id)
    WHERE status = 'succeeded' AND surplus = 0;
CREATE INDEX payments_by_attempt ON payments (tenant, attempt_id);
CREATE INDEX payments_by_subscription ON payments (tenant, subscription_id) WHERE subscription_id IS NOT NULL;

-- Payments that name an attempt and are none of its: a person is told of each once.
CREATE TABLE IF NOT EXISTS foreign_payments (
    tenant     INTEGER NOT NULL REFERENCES tenants (id),
    payment_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    why        TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, payment_id)
) STRICT, WITHOUT ROWID;

-- Keys that charges were signed with, to tell when one is missing. Nothing here can sign.
CREATE TABLE IF NOT EXISTS tag_keys (
    tenant      INTEGER NOT NULL REFERENCES tenants (id),
    id          TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seen_at     INTEGER NOT NULL,
    retired_at  INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- Attempts from this time on carry a code. A store that was made with codes has none without.
CREATE TABLE tenants_anew (
    id           INTEGER PRIMARY KEY,
    merchant     TEXT NOT NULL,
    mode         TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    store        TEXT,
    signed_since INTEGER NOT NULL DEFAULT 0,
    UNIQUE (merchant, mode)
) STRICT;
INSERT INTO tenants_anew (id, merchant, mode, store, signed_since)
SELECT id, merchant, mode, store, unixepoch() FROM tenants;
DROP TABLE tenants;
ALTER TABLE tenants_anew RENAME TO tenants;

COMMIT;
PRAGMA foreign_keys = ON;
