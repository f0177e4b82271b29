-- The table of leases: who has a session to themselves, and until when. Apart from the sessions, because a lease needs no session and ends at another time.
-- The index stands inside, because here each statement is a transaction of its own.
CREATE TABLE IF NOT EXISTS {sessions_leases} (
    id varchar(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    owner varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    expires_at bigint NOT NULL,
    INDEX {sessions_leases_expires_at} (expires_at)
) ENGINE = InnoDB;
