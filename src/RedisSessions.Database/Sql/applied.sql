-- Answers the number of the newest migration that was applied; null when none was.
SELECT MAX(version) FROM {sessions_migrations}
