-- Lets another instance collect.
SELECT pg_advisory_unlock(hashtextextended('RedisSessions collects {table}', 0))
