-- Lateness counts from when an event notification could send, which an edit of its settings does not change.
ALTER TABLE notification ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0; -- since when it is active
UPDATE notification SET active_at = updated_at;
