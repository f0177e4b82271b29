-- Finds the sessions of a user.
--
-- @user_id, @now  the user, as the column has it; now
--
-- Answers keys, payloads and idle deadlines; without what has expired, collected or not, and without closed records, which are nobody's.
SELECT id, payload, idle_deadline FROM {sessions} WHERE user_id = @user_id AND idle_deadline > @now
