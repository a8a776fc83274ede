-- no-transaction
-- A state for what waiting did not decide, an index for attempts that wait, by their age, and when Dodo last reported
-- anything. SQLite cannot change a check of a table, so that it is made anew, as in 0004.
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
                                                       'abandoned', 'needs_review', 'scheduled', 'underpaid',
                                                       'dismissed', 'succeeded')),
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
                           receipt, consent, surplus, agreed, created_at, lease_owner, lease_until, next_check_at, checks,
                           clean_looks)
SELECT tenant, id, offer_id, subscription_id, no, customer_id, quote_id, kind, idem_key, fingerprint, state,
       customer_action, failure, replacement, checkout_session_id, checkout_url, payment_id, receipt, consent, surplus,
       agreed, created_at, lease_owner, lease_until, next_check_at, checks, clean_looks
FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_anew RENAME TO attempts;

CREATE UNIQUE INDEX attempts_by_key ON attempts (tenant, customer_id, idem_key) WHERE idem_key IS NOT NULL;
CREATE UNIQUE INDEX attempts_by_number ON attempts (tenant, offer_id, no) WHERE offer_id IS NOT NULL;
-- At most one attempt of an offer that is live, has collected, or may yet turn out to have. `surplus` marks money that
-- came in beside such an attempt: it has to be written down, and is reported.
CREATE UNIQUE INDEX one_attempt_per_offer ON attempts (tenant, offer_id)
    WHERE offer_id IS NOT NULL AND surplus = 0
      AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'needs_review', 'scheduled', 'underpaid',
                    'succeeded');
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
-- Those that wait, by their age: fresh ones are looked up apart from old ones.
CREATE INDEX attempts_waiting ON attempts (tenant, created_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX attempts_due ON attempts (tenant, next_check_at) WHERE next_check_at IS NOT NULL;

-- What an earlier version had stopped watching.
UPDATE attempts SET state = 'needs_review' WHERE state = 'abandoned' AND next_check_at IS NULL;

-- When Dodo last reported anything, and the span of payments that is being caught up on.
CREATE TABLE IF NOT EXISTS event_progress (
    tenant        INTEGER PRIMARY KEY REFERENCES tenants (id),
    last_event_at INTEGER NOT NULL,
    catch_from    INTEGER,
    catch_to      INTEGER,
    CHECK ((catch_from IS NULL) = (catch_to IS NULL))
) STRICT;
-- The last event that an earlier version has seen.
INSERT OR IGNORE INTO event_progress (tenant, last_event_at) SELECT tenant, MAX(received_at) FROM inbox GROUP BY tenant;

COMMIT;
PRAGMA foreign_keys = ON;
