-- Nodes that share a database (node, lease, news). One server alone has its own row in them, or none.
ALTER TABLE notification_count RENAME TO count_of_one;
CREATE TABLE notification_count (                               -- kept exact with the rows, by deltas; each node's own, to be summed
    notification INTEGER NOT NULL,
    node         INTEGER NOT NULL,                              -- that of ids
    pending      INTEGER NOT NULL,                              -- postbacks fresh or waiting; of a node that ends what others began below 0
    delivered    INTEGER NOT NULL,                              -- postbacks
    failed       INTEGER NOT NULL,                              -- attempts
    bytes        INTEGER NOT NULL DEFAULT 0,                    -- of its pending ones
    PRIMARY KEY (notification, node)
) STRICT, WITHOUT ROWID;
INSERT INTO notification_count (notification, node, pending, delivered, failed, bytes)
    SELECT notification, 0, pending, delivered, failed, bytes FROM count_of_one;
DROP TABLE count_of_one;

CREATE TABLE letter (                                           -- mail that is to be handed to the operator's mailer
    id        INTEGER PRIMARY KEY,
    recipient TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    made_at   INTEGER NOT NULL,
    due_at    INTEGER NOT NULL,                                 -- when it is tried (again); while it is being handed over, some minutes ahead
    tries     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX letter_due ON letter (due_at);
CREATE TABLE allowance (                                        -- how much of a limit over all servers is used
    kind INTEGER NOT NULL,                                      -- 1: an account's API requests, 2: tries of a password
    key  INTEGER NOT NULL,                                      -- the account; a hash of the name that is tried
    span INTEGER NOT NULL,                                      -- wall clock: the hour, the minute
    used INTEGER NOT NULL,
    PRIMARY KEY (kind, key, span)
) STRICT, WITHOUT ROWID;
CREATE TABLE node_figure (                                      -- what a node has in memory, for those who look on
    node    INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,                                   -- as of when
    figures TEXT    NOT NULL                                    -- JSON object of numbers
) STRICT;

CREATE TABLE node (
    number       INTEGER PRIMARY KEY,                           -- 0 … 1023: the node bits of its ids
    epoch        INTEGER NOT NULL,                              -- raised by whoever takes its place
    until_at     INTEGER NOT NULL,                              -- its lease, by the database's clock; 0: the number is free
    instance     TEXT    NOT NULL,                              -- of its data directory
    name         TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    since_at     INTEGER NOT NULL,                              -- it joined
    heartbeat_at INTEGER NOT NULL,
    clock_offset INTEGER NOT NULL DEFAULT 0,                    -- the database's clock less its own, ms
    deadline     INTEGER NOT NULL DEFAULT 0,                    -- of its requests, ms
    draining     INTEGER NOT NULL DEFAULT 0,
    sealing_key  TEXT    NOT NULL DEFAULT '',                   -- what its key is told by (store/keyring.h) …
    next_key     TEXT    NOT NULL DEFAULT ''                    -- … and the one behind it; '': none
) STRICT;
CREATE UNIQUE INDEX node_instance ON node (instance);

CREATE TABLE lease (                                            -- who does what
    part      INTEGER PRIMARY KEY,                              -- 0 … 255: a bucket; 256: what is done once for all
    node      INTEGER,                                          -- NULL: nobody has it
    strict_at INTEGER NOT NULL DEFAULT 0                        -- from then on nothing of whoever had it before is on the wire
) STRICT;
WITH RECURSIVE parts (part) AS (SELECT 0 UNION ALL SELECT part + 1 FROM parts WHERE part < 256)
    INSERT INTO lease (part) SELECT part FROM parts;

CREATE TABLE news_version (                                     -- raised by what others' writers rely on
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;
INSERT INTO news_version VALUES (1, 0);

CREATE TABLE news (                                     -- what nodes have changed, for the others; for some minutes
    node  INTEGER NOT NULL,                             -- that changed it
    seq   INTEGER NOT NULL,                             -- the node's own, without a gap, in the order of its commits
    at_ms INTEGER NOT NULL,
    body  TEXT    NOT NULL,                             -- see model/change.h
    PRIMARY KEY (node, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX news_by_age ON news (at_ms);               -- for their deletion

CREATE TABLE ordered_turn (                                     -- Ordered notifications that several servers write for
    notification INTEGER PRIMARY KEY,
    last         INTEGER NOT NULL                               -- the newest id of its postbacks; locked by who draws the next
) STRICT;
