-- Calls with an Idempotency-Key, and what they were answered; for a day.
CREATE TABLE idempotency (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account,
    name    BLOB    NOT NULL,                                   -- hash of address and key
    request BLOB    NOT NULL,                                   -- hash of the body
    made_at INTEGER NOT NULL,
    status  INTEGER,                                            -- of the answer; NULL: it was not kept
    answer  BLOB                                                -- sealed: it may hold a secret that is shown once
) STRICT;
CREATE UNIQUE INDEX idempotency_of ON idempotency (account, name);
