-- Stores a record where there is none.
--
-- @id, @now      the session's key; now
-- @user_id …     the row, all columns
--
-- Answers one row: stored is 1; or it is 0 and payload is the record that is there instead. Neither: somebody was faster within the moment; ask again.
--
-- The insert is one statement, because of two creations one must win. A row whose time is up is no record any more: taking it away first changes nothing for
-- anybody. IGNORE, because ON DUPLICATE KEY UPDATE does not say whether it has inserted; what else IGNORE would forgive, values that do not fit, does not
-- occur: the key has 43 characters, and a user id that is too long is left out. The answer is one trip with the insert.
DELETE FROM {sessions} WHERE id = @id AND idle_deadline <= @now;
INSERT IGNORE INTO {sessions} (id, user_id, version, state, created_at, last_activity, idle_deadline, absolute_deadline, payload)
VALUES (@id, @user_id, @version, @state, @created_at, @now, @idle_deadline, @absolute_deadline, @payload);
SELECT did.stored, (SELECT payload FROM {sessions} WHERE did.stored = 0 AND id = @id AND idle_deadline > @now) AS payload
FROM (SELECT ROW_COUNT() AS stored) AS did
