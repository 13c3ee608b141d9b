-- How many bytes of events wait: the data of each postback's event, and 128 for the postback itself.
ALTER TABLE notification_count ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0; -- of its pending ones
UPDATE notification_count SET bytes = waiting.bytes FROM (
    SELECT p.notification, sum(length(CAST(e.data AS BLOB)) + 128) AS bytes
    FROM postback p JOIN event e ON e.id = p.event WHERE p.state <= 1 GROUP BY p.notification) AS waiting
    WHERE waiting.notification = notification_count.notification;
CREATE TABLE quota_episode (                                    -- accounts that were told how much of theirs waits
    account INTEGER PRIMARY KEY,
    since   INTEGER NOT NULL
) STRICT;
