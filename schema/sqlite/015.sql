-- What an operator does with the whole store: erasure, a new key.

CREATE TABLE key_change (                                       -- one row while what is sealed is sealed anew
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    next     TEXT    NOT NULL,                                  -- what the key that seals from now on is told by
    began_at INTEGER NOT NULL,
    resealed INTEGER NOT NULL                                   -- rows so far
) STRICT;

CREATE TABLE erasure_find (                                     -- what a job that erases a customer has found, until it ends
    errand INTEGER NOT NULL REFERENCES errand,
    kind   INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5),       -- a word, an inquiry, an action, an account, how many were emptied
    what   TEXT    NOT NULL,
    number INTEGER NOT NULL,                                    -- the id, or how many
    PRIMARY KEY (errand, kind, what)
) STRICT, WITHOUT ROWID;
