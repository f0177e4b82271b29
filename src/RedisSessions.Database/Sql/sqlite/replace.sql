-- Stores a record if the one that is there has the expected version (compare-and-swap).
--
-- @id, @expected, @now   the session's key; the version that must be there; now
-- @user_id …             the row, all columns that change
--
-- Answers one row: stored is 1; or it is 0 and payload is the record that is there instead, null when there is none.
--
-- The update is one statement, because between comparing and storing somebody else's commit would be overwritten. It never inserts, so a late commit cannot
-- bring a session back. changes() is what the update of this connection did, whatever others have done since.
UPDATE {sessions} SET
    user_id = @user_id, version = @version, state = @state, created_at = @created_at, last_activity = @now,
    idle_deadline = @idle_deadline, absolute_deadline = @absolute_deadline, payload = @payload
WHERE id = @id AND version = @expected AND idle_deadline > @now;
SELECT changes() AS stored, (SELECT payload FROM {sessions} WHERE changes() = 0 AND id = @id AND idle_deadline > @now) AS payload
