-- The first schema. Every row belongs to a tenant, and every query names it.
-- Times are seconds since 1970 (UTC). Amounts are minor units. JSON columns hold values that are only ever read whole.

CREATE TABLE tenants (
    id       INTEGER PRIMARY KEY,
    merchant TEXT NOT NULL,
    mode     TEXT NOT NULL CHECK (mode IN ('test', 'live')),
    UNIQUE (merchant, mode)
) STRICT;

CREATE TABLE sessions (
    tenant          INTEGER NOT NULL REFERENCES tenants (id),
    token_hash      BLOB NOT NULL,
    customer_id     TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    trigger_kind    TEXT NOT NULL,
    payment_id      TEXT,
    subscription_id TEXT,
    locale          TEXT,
    country         TEXT,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant, token_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (tenant, expires_at);

CREATE TABLE nonces (
    tenant              INTEGER NOT NULL REFERENCES tenants (id),
    nonce_hash          BLOB NOT NULL,
    checkout_session_id TEXT NOT NULL,
    expires_at          INTEGER NOT NULL,
    redeemed_at         INTEGER,
    PRIMARY KEY (tenant, nonce_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE purchases (
    tenant          INTEGER NOT NULL REFERENCES tenants (id),
    payment_id      TEXT NOT NULL,
    customer_id     TEXT NOT NULL,
    product_ids     TEXT NOT NULL, -- JSON
    subscription_id TEXT,
    billing         TEXT,          -- JSON
    paid_at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, payment_id)
) STRICT;
CREATE INDEX purchases_by_buyer ON purchases (tenant, customer_id, paid_at);

CREATE TABLE triggers (
    tenant          INTEGER NOT NULL REFERENCES tenants (id),
    id              TEXT NOT NULL,
    customer_id     TEXT NOT NULL,
    kind            TEXT NOT NULL,
    subscription_id TEXT,
    at              INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX triggers_by_buyer ON triggers (tenant, customer_id, kind, at);

CREATE TABLE offers (
    tenant      INTEGER NOT NULL REFERENCES tenants (id),
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
    attempt_no  INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, customer_id, campaign, trigger_ref)
) STRICT;

-- Append-only: refusals are kept for good.
CREATE TABLE declines (
    tenant         INTEGER NOT NULL REFERENCES tenants (id),
    customer_id    TEXT NOT NULL,
    offer_id       TEXT NOT NULL,
    equivalence    TEXT NOT NULL,
    campaign       TEXT NOT NULL,
    price_amount   INTEGER,
    price_currency TEXT,
    plan           TEXT,
    reason         TEXT,
    at             INTEGER NOT NULL,
    PRIMARY KEY (tenant, customer_id, offer_id),
    CHECK ((price_amount IS NULL) = (price_currency IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER declines_are_kept BEFORE DELETE ON declines
BEGIN SELECT RAISE(ABORT, 'the decline ledger is append-only'); END;
CREATE TRIGGER declines_stay BEFORE UPDATE ON declines
BEGIN SELECT RAISE(ABORT, 'the decline ledger is append-only'); END;

CREATE TABLE quotes (
    tenant            INTEGER NOT NULL REFERENCES tenants (id),
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
    expires_at        INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX quotes_by_end ON quotes (tenant, expires_at);
CREATE INDEX quotes_by_offer ON quotes (tenant, offer_id, expires_at) WHERE offer_id IS NOT NULL;

CREATE TABLE attempts (
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
                                                       'abandoned', 'scheduled', 'succeeded')),
    customer_action     INTEGER NOT NULL DEFAULT 0,
    failure             TEXT,
    replacement         TEXT,
    checkout_session_id TEXT,
    checkout_url        TEXT,
    payment_id          TEXT,
    receipt             TEXT, -- JSON
    consent             TEXT, -- JSON
    surplus             INTEGER NOT NULL DEFAULT 0,
    created_at          INTEGER NOT NULL,
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

-- The same key never pays twice.
CREATE UNIQUE INDEX attempts_by_key ON attempts (tenant, customer_id, idem_key) WHERE idem_key IS NOT NULL;
CREATE UNIQUE INDEX attempts_by_number ON attempts (tenant, offer_id, no) WHERE offer_id IS NOT NULL;
-- At most one attempt of an offer that is live, has collected, or may yet turn out to have. `surplus` marks money that
-- came in beside such an attempt: it has to be written down, and is reported.
CREATE UNIQUE INDEX one_attempt_per_offer ON attempts (tenant, offer_id)
    WHERE offer_id IS NOT NULL AND surplus = 0
      AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'scheduled', 'succeeded');
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

CREATE TABLE inbox (
    tenant      INTEGER NOT NULL REFERENCES tenants (id),
    webhook_id  TEXT NOT NULL,
    kind        TEXT NOT NULL,
    raw         BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    applied_at  INTEGER,
    PRIMARY KEY (tenant, webhook_id)
) STRICT;
CREATE INDEX inbox_unapplied ON inbox (tenant, received_at) WHERE applied_at IS NULL;
