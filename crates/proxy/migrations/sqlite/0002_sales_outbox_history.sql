-- Payments seen, refunds and disputes as flags on them, what is to be told to the merchant's system, and what happened to
-- each attempt.

-- Who works on an attempt: the instance of the proxy that claimed it or took it up.
ALTER TABLE attempts ADD COLUMN lease_owner TEXT;

-- Amount, currency and time stand in the record itself now, beside what the browser says it showed.
UPDATE attempts SET consent = json_object(
    'amount', (SELECT json_extract(quote, '$.total') FROM quotes
               WHERE quotes.tenant = attempts.tenant AND quotes.id = attempts.quote_id),
    'currency', (SELECT json_extract(quote, '$.currency') FROM quotes
                 WHERE quotes.tenant = attempts.tenant AND quotes.id = attempts.quote_id),
    'at', created_at,
    'shown', json(COALESCE(consent, 'null')));

CREATE TABLE payments (
    tenant     INTEGER NOT NULL REFERENCES tenants (id),
    payment_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('pending', 'failed', 'succeeded')),
    amount     INTEGER,
    currency   TEXT,
    -- Money that came in although the attempt had been paid by another payment already.
    surplus    INTEGER NOT NULL DEFAULT 0,
    seen_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant, payment_id),
    FOREIGN KEY (tenant, attempt_id) REFERENCES attempts (tenant, id),
    CHECK ((amount IS NULL) = (currency IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_payment_per_attempt ON payments (tenant, attempt_id)
    WHERE status = 'succeeded' AND surplus = 0;
CREATE INDEX payments_by_attempt ON payments (tenant, attempt_id);

-- Money that went back, whoever sent it back.
CREATE TABLE refunds (
    tenant     INTEGER NOT NULL REFERENCES tenants (id),
    refund_id  TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('pending', 'failed', 'succeeded')),
    amount     INTEGER,
    currency   TEXT,
    at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, refund_id),
    CHECK ((amount IS NULL) = (currency IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX refunds_by_payment ON refunds (tenant, payment_id);

CREATE TABLE disputes (
    tenant     INTEGER NOT NULL REFERENCES tenants (id),
    dispute_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('opened', 'challenged', 'cancelled', 'expired', 'accepted', 'won',
                                               'lost')),
    at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, dispute_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX disputes_by_payment ON disputes (tenant, payment_id);

-- Refunds that the merchant's policy asks for. At most one request each, like a charge.
CREATE TABLE refund_orders (
    tenant        INTEGER NOT NULL REFERENCES tenants (id),
    payment_id    TEXT NOT NULL,
    cause         TEXT NOT NULL CHECK (cause IN ('late', 'surplus', 'above_quote')),
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
CREATE INDEX refund_orders_by_refund ON refund_orders (tenant, refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX refund_orders_due ON refund_orders (tenant, next_check_at) WHERE next_check_at IS NOT NULL;

-- What the merchant's system is told, written in the transaction in which it became true.
CREATE TABLE outbox (
    tenant      INTEGER NOT NULL REFERENCES tenants (id),
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL, -- JSON, sent as it stands
    created_at  INTEGER NOT NULL,
    next_try_at INTEGER,       -- absent once delivered or given up
    tries       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    sent_at     INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX outbox_due ON outbox (tenant, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX outbox_by_age ON outbox (tenant, created_at);

-- What happened to an attempt, in the order in which it was written down.
CREATE TABLE attempt_history (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant     INTEGER NOT NULL REFERENCES tenants (id),
    attempt_id TEXT NOT NULL,
    at         INTEGER NOT NULL,
    event      TEXT NOT NULL,
    source     TEXT,
    detail     TEXT,
    instance   TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_history_by_attempt ON attempt_history (tenant, attempt_id, no);

-- When a proxy on this store was last known to live. A store in which this is older than what a proxy remembers has lost
-- commits: it was restored from a backup, or its standby took over.
CREATE TABLE heartbeats (
    tenant      INTEGER PRIMARY KEY REFERENCES tenants (id),
    beat_at     INTEGER NOT NULL,
    -- Refusals may be lost up to here: what was set off before is not offered any more.
    held_until  INTEGER,
    -- The last moment of a backup that somebody named and that has been rebuilt from.
    restored_at INTEGER
) STRICT;

-- A name of the store's own, kept by every copy of it. It stands in the metadata of charges: several stores may share one
-- account at Dodo, and each rebuilds its own.
ALTER TABLE tenants ADD COLUMN store TEXT;
