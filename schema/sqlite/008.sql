-- A postback that goes straight to a lane and arrives at the first try is written once, with its outcome.
-- An event's own postbacks have the ids right behind its own, one a place, whether they have a row yet or not.
ALTER TABLE event ADD COLUMN postbacks INTEGER;                 -- how many places; NULL: of an earlier version, each had its row at once
ALTER TABLE event ADD COLUMN direct TEXT;                       -- the event notifications of those that went straight to a lane, by place: "7,,9"; NULL: none did
ALTER TABLE postback ADD COLUMN first_revision INTEGER;         -- an only attempt that delivered it, as attempt's columns; NULL: its attempts are there
ALTER TABLE postback ADD COLUMN first_started_at INTEGER;
ALTER TABLE postback ADD COLUMN first_duration_us INTEGER;
ALTER TABLE postback ADD COLUMN first_headers BLOB;
ALTER TABLE postback ADD COLUMN first_body BLOB;
ALTER TABLE postback ADD COLUMN first_body_bytes INTEGER;
