-- Takes the lease of a session if nobody has it, or if its time is up; whoever has it already keeps it for its whole time again.
--
-- @id, @owner           the session's key; who takes it
-- @now, @expires_at     now; until when it is taken
--
-- Answers one row: taken is 1; or it is 0 and expires_at is until when somebody else has it.
--
-- One statement takes it, because of two who want it one must get it. changes() is what it did on this connection, whatever others have done since.
INSERT INTO {sessions_leases} (id, owner, expires_at) VALUES (@id, @owner, @expires_at)
ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
WHERE {sessions_leases}.owner = excluded.owner OR {sessions_leases}.expires_at <= @now;
SELECT changes() AS taken, (SELECT expires_at FROM {sessions_leases} WHERE changes() = 0 AND id = @id) AS expires_at
