-- Lets a lease last its whole time from now again, if it is still the caller's.
--
-- @id, @owner           the session's key; whose it must be
-- @now, @expires_at     now; until when it is to last
--
-- Answers one row: renewed is 1, or 0 when it is not the caller's any more.
--
-- One statement, because between looking and renewing it may end, and somebody else's would be renewed. It never takes a lease whose time is up: who has lost it
-- once must learn of it. How many rows were changed does not tell everywhere: twice within a millisecond changes none.
UPDATE {sessions_leases} SET expires_at = @expires_at WHERE id = @id AND owner = @owner AND expires_at > @now;
SELECT COUNT(*) AS renewed, NULL FROM {sessions_leases} WHERE id = @id AND owner = @owner AND expires_at >= @expires_at
