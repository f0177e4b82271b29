-- Answers how many of the three tables are there.
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name COLLATE NOCASE IN ('{table}', '{table}_migrations', '{table}_leases')
