-- Waits until no other instance migrates. Ends with the transaction, also where a pooler shares connections among transactions.
SELECT true FROM (SELECT pg_advisory_xact_lock(hashtextextended('RedisSessions migrates {table}', 0))) AS locked
