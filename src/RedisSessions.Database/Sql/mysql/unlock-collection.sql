-- Lets another instance collect.
SELECT RELEASE_LOCK(CONCAT('RedisSessions collects ', LEFT(SHA1(CONCAT(DATABASE(), '.{table}')), 32)))
