-- What a subscriber has used of what plans limit, as the merchant's server said when it asked for the session.
ALTER TABLE sessions ADD COLUMN usage TEXT NOT NULL DEFAULT '[]';
