-- Answers how many of the three tables are there.
SELECT COUNT(*) FROM pg_class WHERE oid IN (to_regclass('{sessions}'), to_regclass('{sessions_migrations}'), to_regclass('{sessions_leases}'))
