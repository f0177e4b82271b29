-- Deletes a record whatever its version.
--
-- @id  the session's key
DELETE FROM {sessions} WHERE id = @id
