-- People and their pages: invitations, second factors, saved views, portal sessions.

-- Why an event notification fails: outcomes of attempts by minute and hour, and the last error.
ALTER TABLE sample ADD COLUMN codes BLOB;                       -- attempts by status or error; NULL: none
ALTER TABLE sample ADD COLUMN error_at INTEGER;                 -- of the last attempt that failed; NULL: none did
ALTER TABLE sample ADD COLUMN error TEXT;                       -- why, as postback.last_error

CREATE INDEX inquiry_pending_of_partner ON inquiry (partner) WHERE state = 1 AND status = 1; -- how many are not decided
CREATE INDEX inquiry_pending_of_brand ON inquiry (brand) WHERE state = 1 AND status = 1;

-- Recovery: replays of what an event notification lacks, undone while they wait.
ALTER TABLE replay ADD COLUMN lacking INTEGER NOT NULL DEFAULT 0; -- 1: only events that it has not been sent
CREATE INDEX postback_replayed ON postback (replay, id) WHERE state = 1 AND replay IS NOT NULL; -- what a replay has yet to send
-- Searching an account's postbacks.  Both are partial: one that is delivered at its first try is in neither.
CREATE INDEX postback_failed ON postback (account, last_status) WHERE (last_error IS NOT NULL OR last_status >= 300); -- by status and error
CREATE INDEX postback_ended ON postback (account, state) WHERE state >= 3; -- cancelled, given up
