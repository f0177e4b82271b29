-- The table of sessions. Times are milliseconds since 1970 (UTC). payload is the whole record, base64, and all that the handler reads; the other columns are
-- for comparing, collecting and looking. user_id is text, because ids are numbers here and GUIDs or names there; no index entries for sessions of nobody.
-- With a rowid, because rows are long: WITHOUT ROWID would keep the payloads inside the tree of the keys.
CREATE TABLE IF NOT EXISTS {sessions} (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NULL,
    version INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    idle_deadline INTEGER NOT NULL,
    absolute_deadline INTEGER NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS {sessions_user_id} ON {sessions} (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS {sessions_idle_deadline} ON {sessions} (idle_deadline);
