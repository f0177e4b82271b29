-- Puts a session into the index of its user, and forgets those whose time is up.
--
-- KEYS[1]  the sessions of the user: a sorted set, scores are absolute deadlines in milliseconds since 1970
-- ARGV[1]  the session's key
-- ARGV[2]  its absolute deadline
-- ARGV[3]  now, by the same clock
-- ARGV[4]  the mark of the newcomers
-- ARGV[5]  until when it stands
--
-- Answers  1
--
-- Atomic, because an index that somebody else's shorter life lets expire would be missing sessions that are alive. The mark says that a session may be here which
-- is not stored yet: while it stands, a key without a record is not taken away. One key, so it works on a cluster. How long the index lives is told from now
-- and not as a time, because the clock of the server may be another one, and records live from now too.
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1], ARGV[5], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(last[2]) - tonumber(ARGV[3])))
return 1
