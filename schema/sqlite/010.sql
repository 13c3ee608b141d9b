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
