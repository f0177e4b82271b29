-- Adds one to a number in two steps. If scripts are atomic on this server, no call is lost however many run at once.
--
-- KEYS[1]  a scratch key of this test
-- ARGV[1]  how long it lives from now, in milliseconds
-- ARGV[2]  how long to dawdle between the two steps, in rounds
--
-- Answers  the number
--
-- Dawdles between the two steps: on a busy machine calls that could overlap hardly ever do otherwise, and a server that loses updates
-- would pass one time in four. Ten thousand rounds are a fraction of a millisecond.
local number = tonumber(redis.call('GET', KEYS[1]) or '0') + 1
local dawdled = 0
for i = 1, tonumber(ARGV[2]) do
  dawdled = (dawdled + i) % 7
end
redis.call('SET', KEYS[1], number, 'PX', ARGV[1])
return number
