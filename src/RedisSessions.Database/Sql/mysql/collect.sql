-- Deletes some of the records whose time is up.
--
-- @now, @batch  now; how many at most
--
-- Locks the part of the index that it deletes from, where no living session is.
DELETE FROM {sessions} WHERE idle_deadline <= @now ORDER BY idle_deadline LIMIT @batch
