-- Stores a session of PHP if the one that is there is the expected one (compare-and-swap). PHP counts no versions, and not every database has digests: the payload itself is compared.
--
-- @id, @current, @payload, @now  its id; the payload that must be there; the new one; now, in seconds since 1970
--
-- Changes one row, or none. One statement, because between comparing and storing somebody else's commit would be overwritten; it never inserts, so a late commit cannot bring a session
-- back.
UPDATE {sessions} SET payload = @payload, last_activity = @now WHERE id = @id AND payload = @current
