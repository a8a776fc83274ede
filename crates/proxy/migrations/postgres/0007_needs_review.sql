-- A state for what waiting did not decide, an index for attempts that wait, by their age, and when Dodo last reported
-- anything.
ALTER TABLE attempts DROP CONSTRAINT attempts_state_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_state_check
    CHECK (state IN ('claimed', 'released', 'sent', 'unknown', 'pending', 'failed', 'abandoned', 'needs_review', 'scheduled',
                     'underpaid', 'dismissed', 'succeeded'));
DROP INDEX one_attempt_per_offer;
CREATE UNIQUE INDEX one_attempt_per_offer ON attempts (tenant, offer_id)
    WHERE offer_id IS NOT NULL AND NOT surplus
      AND state IN ('claimed', 'sent', 'unknown', 'pending', 'abandoned', 'needs_review', 'scheduled', 'underpaid',
                    'succeeded');
-- Those that wait, by their age: fresh ones are looked up apart from old ones.
CREATE INDEX attempts_waiting ON attempts (tenant, created_at) WHERE next_check_at IS NOT NULL;
-- What an earlier version had stopped watching.
UPDATE attempts SET state = 'needs_review' WHERE state = 'abandoned' AND next_check_at IS NULL;

-- When Dodo last reported anything, and the span of payments that is being caught up on.
CREATE TABLE event_progress (
    tenant        BIGINT PRIMARY KEY REFERENCES tenants (id),
    last_event_at BIGINT NOT NULL,
    catch_from    BIGINT,
    catch_to      BIGINT,
    CHECK ((catch_from IS NULL) = (catch_to IS NULL))
);
-- The last event that an earlier version has seen.
INSERT INTO event_progress (tenant, last_event_at) SELECT tenant, MAX(received_at) FROM inbox GROUP BY tenant;
