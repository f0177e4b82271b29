-- The table of sessions. Times are milliseconds since 1970 (UTC). payload is the whole record, base64, and all that the handler reads; the other columns are
-- for comparing, collecting and looking. user_id is text, because ids are numbers here and GUIDs or names there. Comparison is exact (_bin): the letters of
-- an id differ by case. LONGTEXT, because TEXT ends at 64 KB. The indexes stand inside, because here each statement is a transaction of its own.
CREATE TABLE IF NOT EXISTS {sessions} (
    id varchar(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    user_id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    version bigint NOT NULL,
    state smallint NOT NULL,
    created_at bigint NOT NULL,
    last_activity bigint NOT NULL,
    idle_deadline bigint NOT NULL,
    absolute_deadline bigint NOT NULL,
    payload longtext CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    INDEX {sessions_user_id} (user_id),
    INDEX {sessions_idle_deadline} (idle_deadline)
) ENGINE = InnoDB;
