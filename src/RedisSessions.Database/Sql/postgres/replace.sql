-- Stores a record if the one that is there has the expected version (compare-and-swap).
--
-- @id, @expected, @now   the session's key; the version that must be there; now
-- @user_id …             the row, all columns that change
--
-- Answers one row: stored is 1; or it is 0 and payload is the record that is there instead. No row: there is none.
--
-- The update is one statement, because between comparing and storing somebody else's commit would be overwritten. It never inserts, so a late commit cannot
-- bring a session back. When the update had to wait for another one, the second half still sees what was there before, which has the expected version: the
-- caller knows it by that and asks again.
WITH committed AS (
    UPDATE {sessions} SET
        user_id = @user_id, version = @version, state = @state, created_at = @created_at, last_activity = @now,
        idle_deadline = @idle_deadline, absolute_deadline = @absolute_deadline, payload = @payload
    WHERE id = @id AND version = @expected AND idle_deadline > @now
    RETURNING 1
)
SELECT 1 AS stored, NULL::text AS payload FROM committed
UNION ALL
SELECT 0, payload FROM {sessions} WHERE id = @id AND idle_deadline > @now AND NOT EXISTS (SELECT 1 FROM committed)
