-- Makes the table that says which migrations were applied.
CREATE TABLE IF NOT EXISTS {sessions_migrations} (
    version INTEGER NOT NULL PRIMARY KEY,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
