-- Deletes the leases whose time is up: those of processes that have died with them. There are few, the others were given back.
--
-- @now  now
DELETE FROM {sessions_leases} WHERE expires_at <= @now
