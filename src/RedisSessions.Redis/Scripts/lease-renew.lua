-- Lets a lease last its whole time from now again, if it is still the caller's.
--
-- KEYS[1]  the lease
-- ARGV[1]  whose it must be
-- ARGV[2]  how long it lasts from now, in milliseconds
--
-- Answers  1 renewed | 0 it is not the caller's any more
--
-- Atomic, because between looking and renewing it may end, and somebody else's would be made the caller's. It never takes a lease that nobody has: who has lost
-- it once must learn of it. One key, so it works on a cluster.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end

return 0
