-- Takes the lease of a session if nobody has it, or if its time is up; whoever has it already keeps it for its whole time again.
--
-- @id, @owner           the session's key; who takes it
-- @now, @expires_at     now; until when it is taken
--
-- Answers one row: taken is 1, or it is 0 and expires_at is until when somebody else has it. No row: it was given back within the moment; ask again.
--
-- One statement takes it, because of two who want it one must get it. Assignments are made from left to right: the second one sees whose it is now. How many
-- rows were changed does not tell, but whose it is then does: nobody can have taken it from the caller in between.
INSERT INTO {sessions_leases} (id, owner, expires_at) VALUES (@id, @owner, @expires_at)
ON DUPLICATE KEY UPDATE
    owner = IF(owner = @owner OR expires_at <= @now, @owner, owner),
    expires_at = IF(owner = @owner, @expires_at, expires_at);
SELECT owner = @owner AS taken, expires_at FROM {sessions_leases} WHERE id = @id
