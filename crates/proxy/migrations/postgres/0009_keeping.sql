-- Keeping no more than is needed: what outlives a purge, and indexes by which old rows are found.

-- Attempts, and payments of theirs or of a forgotten buyer, that the store has let go of: a late report of one is neither
-- written again nor taken for a loss. Each goes once charges as old as it are not kept any more.
CREATE TABLE tombstones (
    tenant   BIGINT NOT NULL REFERENCES tenants (id),
    kind     TEXT NOT NULL CHECK (kind IN ('attempt', 'payment')),
    id       TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX tombstones_by_age ON tombstones (tenant, begun_at);

-- Who owns what, by keyed hash of the customer id or of the e-mail address, once the purchase or offer has gone.
CREATE TABLE owned (
    tenant     BIGINT NOT NULL REFERENCES tenants (id),
    subject    TEXT NOT NULL,
    product_id TEXT NOT NULL,
    PRIMARY KEY (tenant, subject, product_id)
);

-- Buyers who were forgotten, by keyed hash of the customer id, and when.
CREATE TABLE forgotten (
    tenant   BIGINT NOT NULL REFERENCES tenants (id),
    customer TEXT NOT NULL,
    at       BIGINT NOT NULL,
    -- The list beside the store names them, and the store may hold more of them: a backup was put in its place.
    is_due   BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (tenant, customer)
);

CREATE INDEX forgotten_due ON forgotten (tenant, customer) WHERE is_due;

-- Charges from before this time have gone, so that a payment of one is no sign of a loss. It only grows.
ALTER TABLE heartbeats ADD COLUMN kept_since BIGINT;

CREATE INDEX offers_by_age ON offers (tenant, created_at, id);
CREATE INDEX offers_with_address ON offers (tenant, created_at, id) WHERE plan LIKE '%"zipcode"%';
CREATE INDEX quotes_by_buyer ON quotes (tenant, customer_id);
CREATE INDEX quotes_with_address ON quotes (tenant, expires_at, id) WHERE plan LIKE '%"zipcode"%';
CREATE INDEX payments_by_payer ON payments (tenant, paid_by) WHERE paid_by IS NOT NULL;
CREATE INDEX purchases_by_age ON purchases (tenant, paid_at, payment_id);
CREATE INDEX purchases_with_address ON purchases (tenant, paid_at) WHERE billing IS NOT NULL;
CREATE INDEX triggers_by_age ON triggers (tenant, at);
CREATE INDEX sessions_by_buyer ON sessions (tenant, customer_id);
CREATE INDEX refunds_by_age ON refunds (tenant, at, refund_id);
CREATE INDEX disputes_by_age ON disputes (tenant, at, dispute_id);
CREATE INDEX inbox_unapplied ON inbox (tenant, received_at, webhook_id) WHERE applied_at IS NULL;
CREATE INDEX foreign_payments_by_age ON foreign_payments (tenant, at, payment_id);

-- Refusals are kept by keyed hash. The key is not known here: the proxy replaces the ids of earlier refusals in small steps,
-- which is the one change that the ledger takes.
CREATE INDEX declines_in_clear ON declines (tenant, customer_id) WHERE customer_id NOT LIKE 'hash:%';
CREATE OR REPLACE FUNCTION declines_are_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF TG_OP = 'UPDATE' AND OLD.customer_id NOT LIKE 'hash:%' AND NEW.customer_id LIKE 'hash:%'
       AND to_jsonb(NEW) - 'customer_id' = to_jsonb(OLD) - 'customer_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the decline ledger is append-only';
END $$;

-- Street and city are not needed; a webhook that was applied and a notification that was delivered are known by their ids.
UPDATE purchases SET billing = (billing::jsonb - 'street' - 'city')::text WHERE billing IS NOT NULL;
UPDATE offers SET plan = (plan::jsonb #- '{checkout,billing,street}' #- '{checkout,billing,city}')::text
WHERE plan LIKE '%"street"%';
UPDATE quotes SET plan = (plan::jsonb #- '{checkout,billing,street}' #- '{checkout,billing,city}')::text
WHERE plan LIKE '%"street"%';
UPDATE inbox SET raw = '' WHERE applied_at IS NOT NULL;
UPDATE outbox SET body = '' WHERE sent_at IS NOT NULL;
