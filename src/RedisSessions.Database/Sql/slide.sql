-- Moves the idle deadline of the record that was read.
--
-- @id, @version    the record that was read: a newer one has a deadline of its own, and a closed one must not live longer
-- @now             now
-- @idle_deadline   the new deadline, never further than the absolute one
--
-- One statement, because a commit between reading and sliding must win; never backwards, because two readers may arrive in the other order.
UPDATE {sessions} SET idle_deadline = @idle_deadline, last_activity = @now
WHERE id = @id AND version = @version AND idle_deadline > @now AND idle_deadline < @idle_deadline
