-- Writes down that a migration was applied; {version} is its number.
INSERT INTO {sessions_migrations} (version) VALUES ({version}) ON CONFLICT (version) DO NOTHING;
