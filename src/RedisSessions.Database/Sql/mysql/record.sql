-- Writes down that a migration was applied; {version} is its number.
INSERT IGNORE INTO {sessions_migrations} (version) VALUES ({version});
