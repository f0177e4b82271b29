-- Notes that a session of PHP was used.
--
-- @id, @now  its id; now, in seconds since 1970
--
-- One statement, and nothing but this column: the session itself may have been changed since it was read. Never backwards.
UPDATE {sessions} SET last_activity = @now WHERE id = @id AND last_activity < @now
