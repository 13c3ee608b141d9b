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

-- People: the third role, and how each one reads times and numbers.
ALTER TABLE person ADD COLUMN admin INTEGER NOT NULL DEFAULT 0;  -- 1: role is user, and an ADMIN
ALTER TABLE person ADD COLUMN time_zone TEXT NOT NULL DEFAULT ''; -- of the IANA, "Europe/Berlin"; "": the browser's
ALTER TABLE person ADD COLUMN locale TEXT NOT NULL DEFAULT '';   -- of numbers and dates, "de-DE" (BCP 47); "": the browser's
UPDATE person SET admin = 1 WHERE role = 1                       -- who could do all goes on doing it
    AND account IN (SELECT id FROM account WHERE kind = 4);
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';   -- User-Agent of the sign-in
ALTER TABLE token ADD COLUMN expires_at INTEGER;                 -- NULL: never
ALTER TABLE token ADD COLUMN used_at INTEGER;                    -- within an hour; NULL: never
CREATE TABLE link (                                              -- sent to somebody by mail: good once, until it expires
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),       -- invitation, another password, another mail address
    hash       BLOB    NOT NULL UNIQUE,
    account    INTEGER NOT NULL REFERENCES account,
    person     INTEGER REFERENCES person,                        -- whose it is; NULL: an invitation
    email      TEXT    NOT NULL,
    name       TEXT    NOT NULL DEFAULT '',
    role       INTEGER NOT NULL,                                 -- model/account.h
    inviter    TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    sent_at    INTEGER NOT NULL,                                 -- the last time
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX link_of ON link (account, kind, id);
CREATE INDEX link_of_person ON link (person, kind);
CREATE INDEX link_expires ON link (expires_at);

-- Second factors: one-time passwords by time (RFC 6238) and recovery codes.
CREATE TABLE factor (
    person       INTEGER PRIMARY KEY REFERENCES person,
    secret       BLOB    NOT NULL,                              -- sealed
    confirmed_at INTEGER,                                       -- NULL: it waits for its first code, and asks for none
    last_step    INTEGER NOT NULL DEFAULT 0,                    -- of the last code taken: none of it or before it is taken
    wrong        INTEGER NOT NULL DEFAULT 0,                    -- codes, since …
    wrong_from   INTEGER NOT NULL DEFAULT 0                     -- … then
) STRICT;
CREATE TABLE recovery_code (                                    -- those not used yet
    person INTEGER NOT NULL REFERENCES person,
    hash   BLOB    NOT NULL,
    PRIMARY KEY (person, hash)
) STRICT, WITHOUT ROWID;
ALTER TABLE account ADD COLUMN factor_required INTEGER NOT NULL DEFAULT 0; -- of each of its users
-- Saved views: filters and columns of a list, under a name.
CREATE TABLE saved_view (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    INTEGER NOT NULL REFERENCES account,
    person     INTEGER,                                             -- whose own it is; NULL: all of the account's
    page       INTEGER NOT NULL,                                    -- model/view.h
    name       TEXT    NOT NULL,
    settings   TEXT    NOT NULL,                                    -- JSON: Filters, Columns
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_view_of ON saved_view (account, id);

-- Who is let into an account for a while by the operator.
CREATE TABLE guest (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       INTEGER NOT NULL CHECK (kind IN (2, 3)),          -- looks into it, portal session
    account    INTEGER NOT NULL REFERENCES account,
    person     INTEGER REFERENCES person,                        -- who let it in: ends with that user …
    token      INTEGER REFERENCES token,                         -- … or token
    name       TEXT    NOT NULL,                                 -- for the audit log
    brand      TEXT    NOT NULL,                                 -- JSON: how a portal looks; ""
    scope      INTEGER NOT NULL,
    code       BLOB    UNIQUE,                                   -- hash, until it is exchanged for a token
    hash       BLOB    UNIQUE,                                   -- the token's
    created_at INTEGER NOT NULL,
    until_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX guest_of ON guest (account, kind);
CREATE INDEX guest_until ON guest (until_at);
