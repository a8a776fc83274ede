-- The link on which a buyer gives another payment method, one at a time for a subscription and a use of it: two links that
-- charge what is owed charge it twice. Without an address: somebody is asking Dodo for one, until then.
CREATE TABLE payment_links (
    tenant          INTEGER NOT NULL REFERENCES tenants (id),
    subscription_id TEXT NOT NULL,
    pays_dues       INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    url             TEXT,
    payment_id      TEXT,
    until           INTEGER NOT NULL,
    PRIMARY KEY (tenant, subscription_id, pays_dues)
) STRICT, WITHOUT ROWID;
