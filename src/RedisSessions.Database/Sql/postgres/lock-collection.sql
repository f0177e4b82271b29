-- Answers whether this connection may collect; false when another one does. Ends with the connection, or when it is given back.
SELECT pg_try_advisory_lock(hashtextextended('RedisSessions collects {table}', 0))
