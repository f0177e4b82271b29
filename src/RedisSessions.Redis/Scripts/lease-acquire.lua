-- Takes the lease of a session if nobody has it.
--
-- KEYS[1]  the lease
-- ARGV[1]  who takes it
-- ARGV[2]  how long it lasts from now, in milliseconds
--
-- Answers  0 it is the caller's, also when it was before | how many milliseconds the other one's still lasts, at least 1
--
-- Atomic, because between looking and taking somebody else would take it too. Safe to send again when the answer was lost: whoever has it already is known by
-- name, and it lasts its whole time again. One key, so it works on a cluster.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 0
end
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 0
end

local left = redis.call('PTTL', KEYS[1])
return left > 0 and left or 1
