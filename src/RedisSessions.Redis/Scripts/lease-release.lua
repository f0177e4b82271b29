-- Gives a lease back, if it is still the caller's.
--
-- KEYS[1]  the lease
-- ARGV[1]  whose it must be
--
-- Answers  1 given back | 0 it was not the caller's any more
--
-- Atomic, because between looking and deleting it may end, and somebody else's would be taken away. The message to those who wait for it is the caller's next
-- command and not a part of this: not every server lets a script publish. One key, so it works on a cluster.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return 1
end

return 0
