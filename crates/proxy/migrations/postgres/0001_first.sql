-- The first schema. Every row belongs to a tenant, and every query names it.
-- Times are seconds since 1970 (UTC). Amounts are minor units. JSON columns hold values that are only ever read whole.

CREATE TABLE tenants (
    id       BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    merchant TEXT NOT NULL,
    mode     TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    -- A name of the store's own, kept by every copy of it. It stands in the metadata of charges: several stores may share
    -- one account at Dodo, and each rebuilds its own.
    store    TEXT,
    UNIQUE (merchant, mode)
);

-- One row a buyer, locked by whatever changes an offer or an attempt of that buyer: transactions about one buyer come
-- one after the other, on every engine that honours row locks. Payments are locked by their id in the same way.
CREATE TABLE buyers (
    tenant      BIGINT NOT NULL REFERENCES tenants (id),
    customer_id TEXT NOT NULL,
    changes     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, customer_id)
);

CREATE TABLE sessions (
    tenant          BIGINT NOT NULL REFERENCES tenants (id),
    token_hash      BYTEA NOT NULL,
    customer_id     TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    trigger_kind    TEXT NOT NULL,
    payment_id      TEXT,
    subscription_id TEXT,
    locale          TEXT,
    country         TEXT,
    expires_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant, token_hash)
);
CREATE INDEX sessions_by_end ON sessions (tenant, expires_at);

CREATE TABLE nonces (
    tenant              BIGINT NOT NULL REFERENCES tenants (id),
    nonce_hash          BYTEA NOT NULL,
    checkout_session_id TEXT NOT NULL,
    expires_at          BIGINT NOT NULL,
    redeemed_at         BIGINT,
    PRIMARY KEY (tenant, nonce_hash)
);

CREATE TABLE purchases (
    tenant          BIGINT NOT NULL REFERENCES tenants (id),
    payment_id      TEXT NOT NULL,
    customer_id     TEXT NOT NULL,
    product_ids     TEXT NOT NULL, -- JSON
    subscription_id TEXT,
    billing         TEXT,          -- JSON
    paid_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment_id)
);
CREATE INDEX purchases_by_buyer ON purchases (tenant, customer_id, paid_at);

CREATE TABLE triggers (
    tenant          BIGINT NOT NULL REFERENCES tenants (id),
    id              TEXT NOT NULL,
    customer_id     TEXT NOT NULL,
    kind            TEXT NOT NULL,
    subscription_id TEXT,
    at              BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX triggers_by_buyer ON triggers (tenant, customer_id, kind, at);

CREATE TABLE offers (
    tenant      BIGINT NOT NULL REFERENCES tenants (id),
    id          TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    campaign    TEXT NOT NULL,
    trigger_ref TEXT NOT NULL,
    purchase    TEXT,
    parent      TEXT,
    equivalence TEXT NOT NULL,
    kind        TEXT NOT NULL,
    plan        TEXT NOT NULL, -- JSON
    state       TEXT NOT NULL CHECK (state IN ('eligible', 'presented', 'accepting', 'pending', 'unknown', 'failed',
                                               'charged', 'declined', 'expired', 'abandoned')),
    attempt_no  BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, customer_id, campaign, trigger_ref)
);

-- Append-only: refusals are kept for good.
CREATE TABLE declines (
    tenant         BIGINT NOT NULL REFERENCES tenants (id),
    customer_id    TEXT NOT NULL,
    offer_id       TEXT NOT NULL,
    equivalence    TEXT NOT NULL,
    campaign       TEXT NOT NULL,
    price_amount   BIGINT,
    price_currency TEXT,
    plan           TEXT,
    reason         TEXT,
    at             BIGINT NOT NULL,
    PRIMARY KEY (tenant, customer_id, offer_id),
    CHECK ((price_amount IS NULL) = (price_currency IS NULL))
);
CREATE FUNCTION declines_are_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the decline ledger is append-only'; END $$;
CREATE TRIGGER declines_are_kept BEFORE UPDATE OR DELETE ON declines
FOR EACH ROW EXECUTE FUNCTION declines_are_kept();

CREATE TABLE quotes (
    tenant            BIGINT NOT NULL REFERENCES tenants (id),
    id                TEXT NOT NULL,
    customer_id       TEXT NOT NULL,
    offer_id          TEXT,
    quote             TEXT NOT NULL, -- JSON, as the browser saw it
    plan              TEXT NOT NULL, -- JSON
    from_plan         TEXT,          -- of a plan change, as far as it is known: from which plan
    to_plan           TEXT,          -- and to which
    name              TEXT NOT NULL,
    basis_hash        TEXT NOT NULL,
    payment_method_id TEXT,
    card              TEXT,          -- JSON
    expires_at        BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX quotes_by_end ON quotes (tenant, expires_at);
CREATE INDEX quotes_by_offer ON quotes (tenant, offer_id, expires_at) WHERE offer_id IS NOT NULL;

CREATE TABLE attempts (
    tenant              BIGINT NOT NULL REFERENCES tenants (id),
    id                  TEXT NOT NULL,
    offer_id            TEXT,
    subscription_id     TEXT,
    no                  BIGINT NOT NULL,
    customer_id         TEXT NOT NULL,
    quote_id            TEXT NOT NULL,
    kind                TEXT NOT NULL CHECK (kind IN ('one_click', 'hosted', 'plan_change')),
    idem_key            TEXT,
    fingerprint         BYTEA NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('claimed', 'released', 'sent', 'unknown', 'pending', 'failed',
                                                       'abandoned', 'scheduled', 'succeeded')),
    customer_action     BOOLEAN NOT NULL DEFAULT FALSE,
    failure             TEXT,
    replacement         TEXT,
    checkout_session_id TEXT,
    checkout_url        TEXT,
    payment_id          TEXT,
    receipt             TEXT, -- JSON
    consent             TEXT, -- JSON
    surplus             BOOLEAN NOT NULL DEFAULT FALSE,
    created_at          BIGINT NOT NULL,
    lease_owner         TEXT,
    lease_until         BIGINT NOT NULL,
    next_check_at       BIGINT,
    checks              BIGINT NOT NULL DEFAULT 0,
    clean_looks         BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, quote_id) REFERENCES quotes (tenant, id),
    FOREIGN KEY (tenant, offer_id) REFERENCES offers (tenant, id),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK (offer_id IS NOT NULL OR subscription_id IS NOT NULL)
);

-- The same key never pays twice.
CREATE UNIQUE INDEX attempts_by_key ON attempts (tenant, customer_id, idem_key) WHERE idem_key IS NOT NULL;
CREATE UNIQUE INDEX attempts_by_number ON attempts (tenant, offer_id, no) WHERE offer_id IS NOT NULL;
-- At most one attempt of an offer that is live, has collected, or may yet turn out to have. `surplus` marks money that
-- came in beside such an attempt: it has to be written down, and is reported.
CREATE UNIQUE INDEX one_attempt_per_offer ON attempts (tenant, offer_id)
    WHERE offer_id IS NOT NULL AND NOT surplus
      AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'scheduled', 'succeeded');
-- At most one live attempt on a subscription. Later changes are possible once it is settled or given up.
CREATE UNIQUE INDEX one_live_attempt_per_subscription ON attempts (tenant, subscription_id)
    WHERE subscription_id IS NOT NULL AND NOT surplus AND state IN ('claimed', 'sent', 'unknown', 'pending');
CREATE INDEX attempts_by_payment ON attempts (tenant, payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX attempts_by_quote ON attempts (tenant, quote_id);
CREATE INDEX attempts_by_replacement ON attempts (tenant, replacement) WHERE replacement IS NOT NULL;
CREATE INDEX attempts_by_checkout ON attempts (tenant, checkout_session_id) WHERE checkout_session_id IS NOT NULL;
-- Changes of plan that were made, to count them: the latest first.
CREATE INDEX attempts_made ON attempts (tenant, created_at, id)
    WHERE kind = 'plan_change' AND state IN ('scheduled', 'succeeded');
CREATE INDEX attempts_due ON attempts (tenant, next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE inbox (
    tenant      BIGINT NOT NULL REFERENCES tenants (id),
    webhook_id  TEXT NOT NULL,
    kind        TEXT NOT NULL,
    raw         BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    applied_at  BIGINT,
    PRIMARY KEY (tenant, webhook_id)
);
CREATE INDEX inbox_unapplied ON inbox (tenant, received_at) WHERE applied_at IS NULL;

CREATE TABLE payments (
    tenant     BIGINT NOT NULL REFERENCES tenants (id),
    payment_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('pending', 'failed', 'succeeded')),
    amount     BIGINT,
    currency   TEXT,
    -- Money that came in although the attempt had been paid by another payment already.
    surplus    BOOLEAN NOT NULL DEFAULT FALSE,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant, payment_id),
    FOREIGN KEY (tenant, attempt_id) REFERENCES attempts (tenant, id),
    CHECK ((amount IS NULL) = (currency IS NULL))
);
CREATE UNIQUE INDEX one_payment_per_attempt ON payments (tenant, attempt_id)
    WHERE status = 'succeeded' AND NOT surplus;
CREATE INDEX payments_by_attempt ON payments (tenant, attempt_id);

-- Money that went back, whoever sent it back.
CREATE TABLE refunds (
    tenant     BIGINT NOT NULL REFERENCES tenants (id),
    refund_id  TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('pending', 'failed', 'succeeded')),
    amount     BIGINT,
    currency   TEXT,
    at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, refund_id),
    CHECK ((amount IS NULL) = (currency IS NULL))
);
CREATE INDEX refunds_by_payment ON refunds (tenant, payment_id);

CREATE TABLE disputes (
    tenant     BIGINT NOT NULL REFERENCES tenants (id),
    dispute_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('opened', 'challenged', 'cancelled', 'expired', 'accepted', 'won',
                                               'lost')),
    at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, dispute_id)
);
CREATE INDEX disputes_by_payment ON disputes (tenant, payment_id);

-- Refunds that the merchant's policy asks for. At most one request each, like a charge.
CREATE TABLE refund_orders (
    tenant        BIGINT NOT NULL REFERENCES tenants (id),
    payment_id    TEXT NOT NULL,
    cause         TEXT NOT NULL CHECK (cause IN ('late', 'surplus', 'above_quote')),
    -- Absent: all of it.
    amount        BIGINT,
    state         TEXT NOT NULL CHECK (state IN ('due', 'sent', 'done', 'refused')),
    refund_id     TEXT,
    created_at    BIGINT NOT NULL,
    sent_at       BIGINT,
    lease_until   BIGINT NOT NULL DEFAULT 0,
    lease_owner   TEXT,
    next_check_at BIGINT,
    checks        BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, payment_id, cause)
);
CREATE INDEX refund_orders_by_refund ON refund_orders (tenant, refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX refund_orders_due ON refund_orders (tenant, next_check_at) WHERE next_check_at IS NOT NULL;

-- What the merchant's system is told, written in the transaction in which it became true.
CREATE TABLE outbox (
    tenant      BIGINT NOT NULL REFERENCES tenants (id),
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL, -- JSON, sent as it stands
    created_at  BIGINT NOT NULL,
    next_try_at BIGINT,       -- absent once delivered or given up
    tries       BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    sent_at     BIGINT,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX outbox_due ON outbox (tenant, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX outbox_by_age ON outbox (tenant, created_at);

-- What happened to an attempt, in the order in which it was written down.
CREATE TABLE attempt_history (
    no         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    tenant     BIGINT NOT NULL REFERENCES tenants (id),
    attempt_id TEXT NOT NULL,
    at         BIGINT NOT NULL,
    event      TEXT NOT NULL,
    source     TEXT,
    detail     TEXT,
    instance   TEXT NOT NULL
);
CREATE INDEX attempt_history_by_attempt ON attempt_history (tenant, attempt_id, no);

-- When a proxy on this store was last known to live. A store in which this is older than what a proxy remembers has lost
-- commits: it was restored from a backup, or its standby took over.
CREATE TABLE heartbeats (
    tenant      BIGINT PRIMARY KEY REFERENCES tenants (id),
    beat_at     BIGINT NOT NULL,
    -- Refusals may be lost up to here: what was set off before is not offered any more.
    held_until  BIGINT,
    -- The last moment of a backup that somebody named and that has been rebuilt from.
    restored_at BIGINT
);
