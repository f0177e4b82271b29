-- Answers 1 when this connection may collect; 0 when another one does. Ends with the connection, or when it is given back. Names are the server's, not the
-- database's, and at most 64 characters long.
SELECT COALESCE(GET_LOCK(CONCAT('RedisSessions collects ', LEFT(SHA1(CONCAT(DATABASE(), '.{table}')), 32)), 0), 0)
