-- Stores what is a PHP session if the one that is there has the expected version (compare-and-swap). PHP counts no versions: it is a digest of what is stored.
--
-- KEYS[1]  the session
-- KEYS[2]  the lock of phpredis; none: nobody is asked
-- ARGV[1]  the expected version, the first 16 hexadecimal digits of the SHA-1; empty: there must be no session
-- ARGV[2]  the session
-- ARGV[3]  how long it lives from now, in milliseconds
-- ARGV[4]  what a lock of ours begins with, which is an exclusive request's and keeps out PHP alone
--
-- Answers  1 stored | 0 a version was expected and there is no session | the session that is there instead | a list of one number: a request of PHP has the lock, for
--          so many milliseconds at most, or -1 until it ends
--
-- Atomic, because between comparing and storing somebody else's commit would be overwritten, and because PHP reads the session as soon as it has the lock: what is stored after that is
-- lost when it writes. Two keys, so on a cluster without the second.
if KEYS[2] then
  local lock = redis.call('GET', KEYS[2])
  if lock and string.sub(lock, 1, #ARGV[4]) ~= ARGV[4] then
    return { redis.call('PTTL', KEYS[2]) }
  end
end

local current = redis.call('GET', KEYS[1])
if ARGV[1] == '' then
  if current then
    return current
  end
elseif not current then
  return 0
elseif string.sub(redis.sha1hex(current), 1, #ARGV[1]) ~= ARGV[1] then
  return current
end

redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
