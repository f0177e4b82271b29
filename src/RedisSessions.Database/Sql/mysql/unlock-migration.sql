-- Lets another instance migrate.
SELECT RELEASE_LOCK(CONCAT('RedisSessions migrates ', LEFT(SHA1(CONCAT(DATABASE(), '.{table}')), 32)))
