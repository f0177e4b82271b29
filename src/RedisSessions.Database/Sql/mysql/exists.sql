-- Answers how many of the three tables are there.
SELECT COUNT(*) FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name IN ('{table}', '{table}_migrations', '{table}_leases')
