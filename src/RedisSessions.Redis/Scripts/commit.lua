-- Stores a session record if the one that is there has the expected version (compare-and-swap).
--
-- KEYS[1]  the session
-- ARGV[1]  the expected version, eight bytes as they stand in the record; empty: there must be no record
-- ARGV[2]  the record
-- ARGV[3]  how long it lives from now, in milliseconds
-- ARGV[4]  where in a record the version begins (first byte is 0)
-- ARGV[5]  the channel on which a change of a record is told; none: nobody is told
-- ARGV[6]  the message
--
-- Answers  1 stored | 0 a version was expected and there is no record | the record that is there instead
--
-- Atomic, because between comparing and storing somebody else's commit would be overwritten. One key, so it works on a cluster. Answers are data and never
-- error replies: servers differ in how they word those. An expected version never creates, so a late or delayed commit cannot
-- bring a session back.
if ARGV[1] == '' then
  if redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[3]) then
    return 1
  end
  return redis.call('GET', KEYS[1])
end

local from = tonumber(ARGV[4])
local current = redis.call('GETRANGE', KEYS[1], from, from + #ARGV[1] - 1)
if current == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  if ARGV[5] then
    redis.call('PUBLISH', ARGV[5], ARGV[6])
  end
  return 1
end

return redis.call('GET', KEYS[1]) or 0
