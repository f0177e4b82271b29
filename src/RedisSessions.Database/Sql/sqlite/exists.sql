-- Answers how many of the two tables are there.
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name COLLATE NOCASE IN ('{table}', '{table}_migrations')
