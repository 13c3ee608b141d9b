-- What is looked for and then added is there once, whoever else adds it meanwhile.
DELETE FROM event_dedupe WHERE EXISTS (SELECT 1 FROM event_dedupe AS later   -- of a key that was used again after a day
    WHERE later.hash = event_dedupe.hash AND later.account = event_dedupe.account AND later.key = event_dedupe.key
    AND later.event > event_dedupe.event);
DROP INDEX event_dedupe_key;
CREATE UNIQUE INDEX event_dedupe_key ON event_dedupe (hash, account, key);   -- a repeated key
CREATE UNIQUE INDEX action_tracked ON action (tracker, order_id) WHERE inquiry IS NULL; -- a tracking postback makes one
