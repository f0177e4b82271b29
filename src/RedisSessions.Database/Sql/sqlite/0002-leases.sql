-- The table of leases: who has a session to themselves, and until when. Apart from the sessions, because a lease needs no session and ends at another time.
CREATE TABLE IF NOT EXISTS {sessions_leases} (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS {sessions_leases_expires_at} ON {sessions_leases} (expires_at);
