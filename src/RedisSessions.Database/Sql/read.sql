-- Reads a record.
--
-- @id   the session's key
-- @now  now, in milliseconds since 1970 (UTC), as all times here: the clock is the instance's, the same for every statement
--
-- Answers the payload and its idle deadline; no row when there is none or its time is up, collected or not.
SELECT payload, idle_deadline FROM {sessions} WHERE id = @id AND idle_deadline > @now
