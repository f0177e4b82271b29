-- The table of sessions. Times are milliseconds since 1970 (UTC). payload is the whole record, base64, and all that the handler reads; the other columns are
-- for comparing, collecting and looking. user_id is text, because ids are numbers here and GUIDs or names there; no index entries for sessions of nobody.
CREATE TABLE IF NOT EXISTS {sessions} (
    id varchar(43) COLLATE "C" NOT NULL PRIMARY KEY,
    user_id varchar(255) NULL,
    version bigint NOT NULL,
    state smallint NOT NULL,
    created_at bigint NOT NULL,
    last_activity bigint NOT NULL,
    idle_deadline bigint NOT NULL,
    absolute_deadline bigint NOT NULL,
    payload text NOT NULL
);
CREATE INDEX IF NOT EXISTS {sessions_user_id} ON {sessions} (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS {sessions_idle_deadline} ON {sessions} (idle_deadline);
