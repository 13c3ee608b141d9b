-- Jobs: what takes longer than a page waits.
CREATE TABLE errand (                                           -- a job of an account's: an export, an import
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account,
    kind         INTEGER NOT NULL,                              -- model/errand.h
    state        INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7), -- receiving, queued, running, completed, cancelled, error, failed
    name         TEXT    NOT NULL,
    request      TEXT    NOT NULL,                              -- JSON: what was asked for, and by whom
    steps        INTEGER NOT NULL DEFAULT 0,                    -- made so far: a step names what it saw
    phase        INTEGER NOT NULL DEFAULT 0,                    -- of an import: 0 looks at the rows, 1 takes them
    place        INTEGER NOT NULL DEFAULT 0,                    -- where the next step begins
    first        INTEGER NOT NULL DEFAULT 0,                    -- where the first one began
    total        INTEGER,                                       -- records; NULL: not known
    records      INTEGER NOT NULL DEFAULT 0,                    -- done
    taken        INTEGER NOT NULL DEFAULT 0,                    -- rows of an import, by what became of them
    bad          INTEGER NOT NULL DEFAULT 0,
    undecided    INTEGER NOT NULL DEFAULT 0,
    unchanged    INTEGER NOT NULL DEFAULT 0,
    percent      INTEGER NOT NULL DEFAULT 0,
    message      TEXT    NOT NULL DEFAULT '',
    input_chunks INTEGER NOT NULL DEFAULT 0,
    input_bytes  INTEGER NOT NULL DEFAULT 0,                    -- on disk, both
    result_chunks INTEGER NOT NULL DEFAULT 0,
    result_bytes INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    drop_at      INTEGER                                        -- when its chunks go; NULL: it has none, or goes on
) STRICT;
CREATE INDEX errand_of ON errand (account, id);                 -- lists
CREATE INDEX errand_open ON errand (account, id) WHERE state <= 3; -- those that go on, and how many
CREATE INDEX errand_kept ON errand (account, input_bytes, result_bytes) WHERE input_bytes + result_bytes > 0; -- the quota
CREATE INDEX errand_drop ON errand (drop_at) WHERE drop_at IS NOT NULL;
CREATE INDEX errand_old ON errand (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE errand_chunk (                                     -- what a job reads (input) or has written, in pieces
    errand INTEGER NOT NULL REFERENCES errand,
    input  INTEGER NOT NULL CHECK (input IN (0, 1)),
    number INTEGER NOT NULL,                                    -- from 0
    rows_before INTEGER NOT NULL,                               -- of an input: rows in the chunks before it …
    lines_before INTEGER NOT NULL,                              -- … and lines
    body   BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX errand_chunk_of ON errand_chunk (errand, input, number);
