-- Waits until no other instance migrates, up to a minute: then it answers 0. Names are the server's, not the database's, and at most 64 characters long.
SELECT COALESCE(GET_LOCK(CONCAT('RedisSessions migrates ', LEFT(SHA1(CONCAT(DATABASE(), '.{table}')), 32)), 60), 0)
