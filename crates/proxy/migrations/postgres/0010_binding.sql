-- A session belongs to one browser: SHA-256 of its secret, and whether the browser could store it. Sessions from before belong to
-- the first browser that uses them, like new ones.
ALTER TABLE sessions ADD COLUMN browser_hash BYTEA;
ALTER TABLE sessions ADD COLUMN browser_outlives_page BOOLEAN NOT NULL DEFAULT FALSE;

-- SHA-256 of the one-time code for the proxy's own page, until it is exchanged. One for a session at a time.
ALTER TABLE sessions ADD COLUMN handover_hash BYTEA;
ALTER TABLE sessions ADD COLUMN handover_until BIGINT;
CREATE UNIQUE INDEX sessions_by_handover ON sessions (tenant, handover_hash) WHERE handover_hash IS NOT NULL;
