-- Takes the lease of a session if nobody has it, or if its time is up; whoever has it already keeps it for its whole time again.
--
-- @id, @owner           the session's key; who takes it
-- @now, @expires_at     now; until when it is taken
--
-- Answers one row: taken is 1, or it is 0 and expires_at is until when somebody else has it. No row: somebody was faster within the moment; ask again.
--
-- One statement takes it, because of two who want it one must get it.
WITH taken AS (
    INSERT INTO {sessions_leases} AS existing (id, owner, expires_at) VALUES (@id, @owner, @expires_at)
    ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
    WHERE existing.owner = excluded.owner OR existing.expires_at <= @now
    RETURNING 1
)
SELECT 1 AS taken, NULL::bigint AS expires_at FROM taken
UNION ALL
SELECT 0, expires_at FROM {sessions_leases} WHERE id = @id AND expires_at > @now AND NOT EXISTS (SELECT 1 FROM taken)
