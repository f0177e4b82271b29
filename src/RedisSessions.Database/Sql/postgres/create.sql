-- Stores a record where there is none.
--
-- @id, @now      the session's key; now
-- @user_id …     the row, all columns
--
-- Answers one row: stored is 1, or it is 0 and payload is the record that is there instead. No row: somebody was faster within the moment; ask again.
--
-- The insert is one statement, because of two creations one must win. A row whose time is up is no record any more, so it is replaced in place.
WITH committed AS (
    INSERT INTO {sessions} AS existing (id, user_id, version, state, created_at, last_activity, idle_deadline, absolute_deadline, payload)
    VALUES (@id, @user_id, @version, @state, @created_at, @now, @idle_deadline, @absolute_deadline, @payload)
    ON CONFLICT (id) DO UPDATE SET
        user_id = excluded.user_id, version = excluded.version, state = excluded.state, created_at = excluded.created_at,
        last_activity = excluded.last_activity, idle_deadline = excluded.idle_deadline, absolute_deadline = excluded.absolute_deadline,
        payload = excluded.payload
    WHERE existing.idle_deadline <= @now
    RETURNING 1
)
SELECT 1 AS stored, NULL::text AS payload FROM committed
UNION ALL
SELECT 0, payload FROM {sessions} WHERE id = @id AND idle_deadline > @now AND NOT EXISTS (SELECT 1 FROM committed)
