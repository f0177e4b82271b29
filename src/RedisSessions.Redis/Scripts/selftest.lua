-- Adds one to a number in two steps. If scripts are atomic on this server, no call is lost however many run at once.
--
-- KEYS[1]  a scratch key of this test
-- ARGV[1]  how long it lives from now, in milliseconds
--
-- Answers  the number
local number = tonumber(redis.call('GET', KEYS[1]) or '0') + 1
redis.call('SET', KEYS[1], number, 'PX', ARGV[1])
return number
