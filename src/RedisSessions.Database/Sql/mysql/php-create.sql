-- Stores a session of PHP where there is none.
--
-- @id, @payload, @now  its id; the session; now, in seconds since 1970
--
-- Answers one row: stored is 1, or 0 when there is one already. One statement stores it, because of two creations one must win; no two payloads are equal, because each has the id of its
-- commit in it. Not IGNORE, which would cut a payload that is too long for the column. The other columns of the table are the application's.
INSERT INTO {sessions} (id, payload, last_activity) VALUES (@id, @payload, @now) ON DUPLICATE KEY UPDATE id = id;
SELECT COUNT(*) AS stored, NULL AS payload FROM {sessions} WHERE id = @id AND CAST(payload AS BINARY) = CAST(@payload AS BINARY)
