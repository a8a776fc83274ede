-- The link on which a buyer gives another payment method, one at a time for a subscription and a use of it: two links that
-- charge what is owed charge it twice. Without an address: somebody is asking Dodo for one, until then.
CREATE TABLE payment_links (
    tenant          BIGINT NOT NULL REFERENCES tenants (id),
    subscription_id TEXT NOT NULL,
    pays_dues       BOOLEAN NOT NULL,
    version         BIGINT NOT NULL,
    url             TEXT,
    payment_id      TEXT,
    until           BIGINT NOT NULL,
    PRIMARY KEY (tenant, subscription_id, pays_dues)
);

-- How a change of plan that was booked for the next billing date ended, each once: it is told to the merchant's system.
CREATE TABLE booking_ends (
    tenant     BIGINT NOT NULL REFERENCES tenants (id),
    attempt_id TEXT NOT NULL,
    ended      TEXT NOT NULL CHECK (ended IN ('made', 'cancelled')),
    at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, attempt_id),
    FOREIGN KEY (tenant, attempt_id) REFERENCES attempts (tenant, id)
);
