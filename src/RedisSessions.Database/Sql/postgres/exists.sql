-- Answers how many of the two tables are there.
SELECT COUNT(*) FROM pg_class WHERE oid IN (to_regclass('{sessions}'), to_regclass('{sessions_migrations}'))
