-- Reads a session of PHP.
--
-- @id  its id
--
-- Answers the payload and when it was last used, in seconds since 1970; no row when there is none. Whether its time is up depends on what is in it.
SELECT payload, last_activity FROM {sessions} WHERE id = @id
