-- What an operator does with the whole store: erasure, a new key.

CREATE TABLE key_change (                                       -- one row while what is sealed is sealed anew
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    next     TEXT    NOT NULL,                                  -- what the key that seals from now on is told by
    began_at INTEGER NOT NULL,
    resealed INTEGER NOT NULL                                   -- rows so far
) STRICT;
