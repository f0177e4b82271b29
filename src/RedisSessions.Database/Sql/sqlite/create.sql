-- Stores a record where there is none.
--
-- @id, @now      the session's key; now
-- @user_id …     the row, all columns
--
-- Answers one row: stored is 1, or it is 0 and payload is the record that is there instead.
--
-- The insert is one statement, because of two creations one must win. A row whose time is up is no record any more, so it is replaced in place. changes() is
-- what the insert of this connection did, whatever others have done since.
INSERT INTO {sessions} (id, user_id, version, state, created_at, last_activity, idle_deadline, absolute_deadline, payload)
VALUES (@id, @user_id, @version, @state, @created_at, @now, @idle_deadline, @absolute_deadline, @payload)
ON CONFLICT (id) DO UPDATE SET
    user_id = excluded.user_id, version = excluded.version, state = excluded.state, created_at = excluded.created_at,
    last_activity = excluded.last_activity, idle_deadline = excluded.idle_deadline, absolute_deadline = excluded.absolute_deadline,
    payload = excluded.payload
WHERE {sessions}.idle_deadline <= @now;
SELECT changes() AS stored, (SELECT payload FROM {sessions} WHERE changes() = 0 AND id = @id AND idle_deadline > @now) AS payload
