-- Whether Dodo has confirmed that what a session names is its buyer's. Earlier sessions were made only once it had.
ALTER TABLE sessions ADD COLUMN is_confirmed INTEGER NOT NULL DEFAULT 1;
