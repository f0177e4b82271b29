-- Gives a lease back, if it is still the caller's.
--
-- @id, @owner  the session's key; whose it must be
--
-- One statement, because between looking and deleting it may end, and somebody else's would be taken away.
DELETE FROM {sessions_leases} WHERE id = @id AND owner = @owner
