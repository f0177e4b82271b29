-- Stores a session record if the one that is there has the expected version (compare-and-swap).
--
-- KEYS[1]  the session
-- ARGV[1]  the expected version, eight bytes as they stand in the record; empty: there must be no record
-- ARGV[2]  the record
-- ARGV[3]  how long it lives from now, in milliseconds
-- ARGV[4]  the channel on which a change of a record is told; none: nobody is told
-- ARGV[5]  the message
--
-- Answers  1 stored | 0 a version was expected and there is no record | the record that is there instead
--
-- Atomic, because between comparing and storing somebody else's commit would be overwritten. One key, so it works on a cluster. Answers are data and never
-- error replies: servers differ in how they word those. An expected version never creates, so a late or delayed commit cannot
-- bring a session back. Bytes 8 to 15 of a record are its version (docs/format.md); as text, because the server would print numbers for each call.
local call, key = redis.call, KEYS[1]
if ARGV[1] == '' then
  if call('SET', key, ARGV[2], 'NX', 'PX', ARGV[3]) then
    return 1
  end
  return call('GET', key)
end

if call('GETRANGE', key, '8', '15') == ARGV[1] then
  call('SET', key, ARGV[2], 'PX', ARGV[3])
  if ARGV[4] then
    call('PUBLISH', ARGV[4], ARGV[5])
  end
  return 1
end

return call('GET', key) or 0
