-- Names that no engine keeps for itself, and columns in place of what only SQLite reads out of texts.
ALTER TABLE user RENAME TO person;
ALTER TABLE session RENAME COLUMN user TO person;
ALTER TABLE comment RENAME COLUMN user TO author;
CREATE UNIQUE INDEX person_email ON person (lower(email));      -- signing in, whatever the case of the letters
ALTER TABLE notification ADD COLUMN delay_s INTEGER NOT NULL DEFAULT 0; -- MinimumDelay of the revision in force
ALTER TABLE notification ADD COLUMN ordered INTEGER NOT NULL DEFAULT 0; -- and its Ordered
UPDATE notification SET delay_s = coalesce(CAST(json_extract(r.settings, '$.MinimumDelay') AS INTEGER), 0),
    ordered = coalesce(json_extract(r.settings, '$.Ordered') = 'true', 0)
    FROM notification_revision r WHERE r.notification = notification.id AND r.revision = notification.revision;
ALTER TABLE attempt ADD COLUMN rest_until INTEGER;              -- what a Retry-After asked for; NULL: nothing
UPDATE attempt SET rest_until = (SELECT p.due_at FROM postback p WHERE p.id = attempt.postback)
    WHERE (postback, number) IN (SELECT id, attempts FROM postback WHERE state = 1 AND attempts > 0)
    AND instr(lower(CAST(headers AS TEXT)), 'retry-after:') > 0;
