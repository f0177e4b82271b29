-- Deletes some of the records whose time is up.
--
-- @now, @batch  now; how many at most
--
-- Locks only the rows it deletes, and leaves out those that somebody else is at.
DELETE FROM {sessions} WHERE id IN (
    SELECT id FROM {sessions} WHERE idle_deadline <= @now ORDER BY idle_deadline LIMIT @batch FOR UPDATE SKIP LOCKED
)
