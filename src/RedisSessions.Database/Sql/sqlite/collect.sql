-- Deletes some of the records whose time is up.
--
-- @now, @batch  now; how many at most
--
-- The one writer of the database is kept for one small batch.
DELETE FROM {sessions} WHERE id IN (SELECT id FROM {sessions} WHERE idle_deadline <= @now ORDER BY idle_deadline LIMIT @batch)
