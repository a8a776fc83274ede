-- No statement's cost grows with the history: each finds its rows by an index. And every webhook that could not be applied
-- has its own time to be tried again, and its own end.

-- An attempt needs the quote. Set when the quote is looked at after its end, so that it is looked at once.
ALTER TABLE quotes ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
DROP INDEX quotes_by_end;
CREATE INDEX quotes_unkept ON quotes (tenant, expires_at) WHERE NOT kept;
CREATE INDEX nonces_by_end ON nonces (tenant, expires_at);
CREATE INDEX payment_links_by_end ON payment_links (tenant, until);
CREATE INDEX outbox_ended ON outbox (tenant, COALESCE(sent_at, created_at)) WHERE next_try_at IS NULL;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (tenant, next_try_at, created_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (tenant, created_at) WHERE next_try_at IS NOT NULL;

CREATE INDEX attempts_by_age ON attempts (tenant, created_at, id);
CREATE INDEX attempts_by_state ON attempts (tenant, state, created_at, id);
CREATE INDEX attempts_by_buyer ON attempts (tenant, customer_id, created_at, id);
CREATE INDEX attempts_by_subscription ON attempts (tenant, subscription_id, created_at) WHERE subscription_id IS NOT NULL;
CREATE INDEX attempts_by_kind ON attempts (tenant, kind, created_at);

-- Open offers, to close those that were made before a store went back.
CREATE INDEX offers_by_state ON offers (tenant, state, created_at);

-- Without a time to be tried again: applied, or at its end.
ALTER TABLE inbox ADD COLUMN next_try_at INTEGER;
ALTER TABLE inbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'applied', 'unreadable', 'given_up'));
-- The version of the proxy that could not read or apply it. Another version tries again.
ALTER TABLE inbox ADD COLUMN failed_by TEXT;
UPDATE inbox SET
    state = CASE WHEN applied_at IS NOT NULL THEN 'applied' WHEN kind = 'unreadable' THEN 'unreadable' ELSE 'waiting' END,
    failed_by = CASE WHEN applied_at IS NULL AND kind = 'unreadable' THEN '' END,
    next_try_at = CASE WHEN applied_at IS NULL AND kind <> 'unreadable' THEN received_at END;
DROP INDEX inbox_unapplied;
CREATE INDEX inbox_fresh ON inbox (tenant, next_try_at) WHERE next_try_at IS NOT NULL AND tries = 0;
CREATE INDEX inbox_retries ON inbox (tenant, next_try_at) WHERE next_try_at IS NOT NULL AND tries > 0;
CREATE INDEX inbox_ended ON inbox (tenant, received_at) WHERE next_try_at IS NULL;
CREATE INDEX inbox_by_state ON inbox (tenant, state, received_at) WHERE applied_at IS NULL;
CREATE INDEX inbox_failed ON inbox (tenant, failed_by) WHERE failed_by IS NOT NULL;
