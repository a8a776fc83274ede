-- Whose card may be charged, and who a buyer is across customer ids.

-- Key of the hashes of e-mail addresses: made once, kept by every copy of the store, shared by every proxy on it.
ALTER TABLE tenants ADD COLUMN email_key TEXT;

-- Sessions from before know a purchase at most.
ALTER TABLE sessions ADD COLUMN signed_in INTEGER NOT NULL DEFAULT 0;
-- The newest purchase, where the merchant's server named none.
ALTER TABLE sessions ADD COLUMN newest TEXT;

-- Keyed hash of the e-mail address that it was paid under, and the saved method that paid it.
ALTER TABLE purchases ADD COLUMN email TEXT;
ALTER TABLE purchases ADD COLUMN payment_method_id TEXT;
CREATE INDEX purchases_by_email ON purchases (tenant, email) WHERE email IS NOT NULL;

ALTER TABLE offers ADD COLUMN email TEXT;
CREATE INDEX offers_by_email ON offers (tenant, email, equivalence) WHERE email IS NOT NULL;
ALTER TABLE declines ADD COLUMN email TEXT;
CREATE INDEX declines_by_email ON declines (tenant, email, equivalence) WHERE email IS NOT NULL;

-- The buyer had a saved method, and none that this session might charge.
ALTER TABLE quotes ADD COLUMN withheld INTEGER NOT NULL DEFAULT 0;
-- Whom the quote was issued to. Nobody may use one from before who is not signed in.
ALTER TABLE quotes ADD COLUMN signed_in INTEGER NOT NULL DEFAULT 1;

-- SHA-256 of the secret of the browser that began the checkout. Without one nothing is redeemed.
ALTER TABLE nonces ADD COLUMN browser_hash BLOB;
