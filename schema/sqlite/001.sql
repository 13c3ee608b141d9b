-- postbackd's store, version 1.  Times are milliseconds since 1970-01-01 UTC; money is a count of
-- minor units of its currency; NULL is "not given".
--
-- event, postback and attempt are the hot tables: written in order of id and indexed only so.
-- Every other index serves one query, named beside it.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    sid        TEXT    NOT NULL UNIQUE,
    kind       INTEGER NOT NULL CHECK (kind IN (1, 2, 4)),      -- partner, brand, operator
    name       TEXT    NOT NULL,
    email      TEXT    NOT NULL DEFAULT '',
    active     INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE user (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account       INTEGER NOT NULL REFERENCES account,
    email         TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    name          TEXT    NOT NULL,
    role          INTEGER NOT NULL CHECK (role IN (1, 2)),      -- user, read only
    password_hash TEXT    NOT NULL,                             -- argon2id
    active        INTEGER NOT NULL DEFAULT 1,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX user_of ON user (account, id);

CREATE TABLE session (                                          -- a user's sign-in with a browser
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user       INTEGER NOT NULL REFERENCES user,
    hash       BLOB    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,                                -- within a few minutes
    address    TEXT    NOT NULL                                 -- where it was begun
) STRICT;
CREATE INDEX session_of ON session (user, id);
CREATE INDEX session_used ON session (used_at);                 -- those that have ended by themselves

CREATE TABLE token (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    INTEGER NOT NULL REFERENCES account,
    hash       BLOB    NOT NULL UNIQUE,
    scope      INTEGER NOT NULL CHECK (scope IN (1, 2, 4)),     -- api, read, events
    label      TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX token_of ON token (account, id);

CREATE TABLE campaign (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    brand      INTEGER NOT NULL REFERENCES account,
    name       TEXT    NOT NULL,
    currency   TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX campaign_of ON campaign (brand, id);

CREATE TABLE tracker (                                          -- action tracker
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign   INTEGER NOT NULL REFERENCES campaign,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (campaign, name)
) STRICT;

CREATE TABLE membership (                                       -- partners in a campaign
    campaign   INTEGER NOT NULL REFERENCES campaign,
    partner    INTEGER NOT NULL REFERENCES account,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, partner)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_of ON membership (partner, campaign);

CREATE TABLE approval_rule (                                    -- a brand's, for one partner or all
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    brand           INTEGER NOT NULL REFERENCES account,
    partner         INTEGER REFERENCES account,                 -- NULL: every partner
    campaign        INTEGER NOT NULL REFERENCES campaign,
    tracker         INTEGER NOT NULL REFERENCES tracker,        -- the action's, when accepted
    wait            INTEGER NOT NULL CHECK (wait IN (1, 2, 3)), -- at once, after days, after days from the month's end
    days            INTEGER NOT NULL DEFAULT 0,
    payout_under    INTEGER,                                    -- only if the payout asked is under it
    total_under     INTEGER,                                    -- while the total approved stays under it
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX approval_rule_of ON approval_rule (brand, id);

CREATE TABLE inquiry (
    id                     INTEGER PRIMARY KEY AUTOINCREMENT,
    partner                INTEGER NOT NULL REFERENCES account,
    brand                  INTEGER NOT NULL REFERENCES account,
    campaign               INTEGER NOT NULL REFERENCES campaign,
    reference              TEXT    NOT NULL DEFAULT '',         -- MediaPartnerInquiryId
    order_id               TEXT    NOT NULL,
    transaction_at         INTEGER NOT NULL,
    amount                 INTEGER NOT NULL,
    currency               TEXT    NOT NULL,
    type                   INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
    expected_payout        INTEGER,
    resolution_deadline_at INTEGER,
    tracking_link          TEXT    NOT NULL DEFAULT '',
    customer_id            TEXT    NOT NULL DEFAULT '',
    inquiry_at             INTEGER,
    notes                  TEXT    NOT NULL DEFAULT '',
    action                 INTEGER,
    approval_rule          INTEGER,                             -- the rule that set auto_approval_at
    auto_approval_at       INTEGER,
    status                 INTEGER NOT NULL CHECK (status IN (1, 2, 3, 4)),
    state                  INTEGER NOT NULL CHECK (state IN (1, 2)),
    reject_reason          INTEGER,
    resolution_notes       TEXT    NOT NULL DEFAULT '',
    promo_code             TEXT    NOT NULL DEFAULT '',
    final_payout           INTEGER,
    resolved_at            INTEGER,
    closed_at              INTEGER,
    reopened               INTEGER NOT NULL DEFAULT 0,
    created_at             INTEGER NOT NULL
) STRICT;
-- an account's, newest first, and how many there are of a state, status or type
CREATE INDEX inquiry_of_partner ON inquiry (partner, id, state, status, type);
CREATE INDEX inquiry_of_brand ON inquiry (brand, campaign, id, state, status, type);
CREATE INDEX inquiry_by_order ON inquiry (partner, order_id);
CREATE INDEX inquiry_by_brands_order ON inquiry (brand, order_id);
CREATE INDEX inquiry_by_date ON inquiry (partner, transaction_at);
CREATE INDEX inquiry_by_brands_date ON inquiry (brand, transaction_at);
CREATE INDEX inquiry_by_reference ON inquiry (partner, reference) WHERE reference <> '';
CREATE INDEX inquiry_by_customer ON inquiry (partner, customer_id) WHERE customer_id <> '';
CREATE UNIQUE INDEX inquiry_open ON inquiry (partner, campaign, order_id, type) WHERE state = 1;
CREATE INDEX inquiry_of_rule ON inquiry (approval_rule) WHERE status = 2 AND approval_rule IS NOT NULL; -- a rule's total
CREATE INDEX inquiry_to_approve ON inquiry (auto_approval_at) WHERE auto_approval_at IS NOT NULL AND status = 1 AND state = 1;

CREATE TABLE comment (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    inquiry    INTEGER NOT NULL REFERENCES inquiry,
    account    INTEGER NOT NULL REFERENCES account,
    user       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX comment_of ON comment (inquiry, id);

CREATE TABLE action (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    partner        INTEGER NOT NULL REFERENCES account,
    brand          INTEGER NOT NULL REFERENCES account,
    campaign       INTEGER NOT NULL REFERENCES campaign,
    tracker        INTEGER NOT NULL REFERENCES tracker,
    inquiry        INTEGER REFERENCES inquiry,
    order_id       TEXT    NOT NULL,
    customer_id    TEXT    NOT NULL DEFAULT '',
    promo_code     TEXT    NOT NULL DEFAULT '',
    status         INTEGER NOT NULL CHECK (status IN (1, 2, 3)),
    amount         INTEGER,
    payout         INTEGER,
    currency       TEXT    NOT NULL,
    referring_type TEXT    NOT NULL,
    event_at       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    items          TEXT,
    sub_id1        TEXT    NOT NULL DEFAULT '',
    sub_id2        TEXT    NOT NULL DEFAULT '',
    sub_id3        TEXT    NOT NULL DEFAULT '',
    shared_id      TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX action_of_partner ON action (partner, id);
CREATE INDEX action_of_brand ON action (brand, id);
CREATE INDEX action_of_order ON action (order_id, tracker);     -- a repeated tracking postback, and lists by Oid

CREATE TABLE tracking_token (                                   -- with which conversions of a campaign are sent
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign   INTEGER NOT NULL REFERENCES campaign,
    hash       BLOB    NOT NULL UNIQUE,
    label      TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX tracking_token_of ON tracking_token (campaign, id);

CREATE TABLE notification (                                     -- event notification
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     INTEGER NOT NULL REFERENCES account,
    revision    INTEGER NOT NULL,                               -- the one in force
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 2)),    -- active, paused, held
    held_reason TEXT    NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    deleted_at  INTEGER
) STRICT;
CREATE INDEX notification_of ON notification (account, id);

CREATE TABLE notification_revision (                            -- an attempt names the one it used
    notification INTEGER NOT NULL REFERENCES notification,
    revision     INTEGER NOT NULL,
    settings     TEXT    NOT NULL,                              -- JSON, as the API shows them
    secrets      BLOB    NOT NULL,                              -- sealed: custom headers, signing secrets
    opened       TEXT    NOT NULL,                              -- JSON array: the account's opened_points then
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (notification, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE opened_point (                                     -- data points on request, open to an account
    account INTEGER NOT NULL REFERENCES account,
    name    TEXT    NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_type (                                       -- names for the numbers; from 1000 on the operator's
    number     INTEGER PRIMARY KEY,                             -- never used again
    name       TEXT    NOT NULL UNIQUE,
    definition TEXT,                                            -- JSON; NULL: the type is built in
    created_at INTEGER,
    deleted_at INTEGER
) STRICT;

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL,
    type        INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    inquiry     INTEGER,
    data        TEXT    NOT NULL                                -- JSON object, every scalar a string
) STRICT;
CREATE INDEX event_of_inquiry ON event (inquiry) WHERE inquiry IS NOT NULL; -- an inquiry's postbacks

CREATE TABLE event_dedupe (                                     -- DedupeKeys of the last day
    event   INTEGER PRIMARY KEY,                                -- the first that the key made
    hash    INTEGER NOT NULL,                                   -- of account and key
    account INTEGER NOT NULL,                                   -- who sent it
    key     TEXT    NOT NULL,
    others  TEXT                                                -- further events: "17,18"
) STRICT;
CREATE INDEX event_dedupe_key ON event_dedupe (hash);           -- a repeated key

CREATE TABLE postback (
    id           INTEGER PRIMARY KEY,
    bucket       INTEGER NOT NULL,                              -- of its notification, 0 … 255: by which nodes will share the queue; read by nothing yet
    account      INTEGER NOT NULL,
    notification INTEGER NOT NULL,
    event        INTEGER NOT NULL,
    state        INTEGER NOT NULL,                              -- fresh, waiting, delivered, cancelled, expired
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL,
    finished_at  INTEGER,                                       -- delivered, cancelled or expired when
    last_status  INTEGER,                                       -- of the last answer; NULL: none yet
    last_error   TEXT,                                          -- why the last attempt failed
    resent       INTEGER,                                       -- the postback that this one sends again; 0: it sends an event
    replay       INTEGER                                        -- the replay that made it
) STRICT;                                                       -- an index ends in the id by itself
CREATE INDEX postback_of ON postback (notification);            -- list pages; the rest of an account's is merged; an Ordered one's queue
CREATE INDEX postback_waiting ON postback (notification, due_at) WHERE state = 1; -- the queue on disk
CREATE INDEX postback_again ON postback (event) WHERE resent IS NOT NULL; -- an inquiry's postbacks

CREATE TABLE notification_count (                               -- kept exact with the rows, by deltas
    notification INTEGER PRIMARY KEY,
    pending      INTEGER NOT NULL,                              -- postbacks fresh or waiting
    delivered    INTEGER NOT NULL,                              -- postbacks
    failed       INTEGER NOT NULL                               -- attempts
) STRICT;

CREATE TABLE sample (                                           -- what was delivered when, for charts
    account      INTEGER NOT NULL,                              -- 0: all accounts together
    notification INTEGER NOT NULL,                              -- 0: all of the account's together
    step         INTEGER NOT NULL CHECK (step IN (60, 3600)),   -- seconds
    at           INTEGER NOT NULL,                              -- when it began
    delivered    INTEGER NOT NULL,                              -- postbacks
    failed       INTEGER NOT NULL,                              -- attempts
    pending      INTEGER NOT NULL,                              -- postbacks, at its end
    oldest_at    INTEGER,                                       -- when the oldest that waited was first due
    latencies    BLOB,                                          -- deliveries by bin; NULL: none
    PRIMARY KEY (account, notification, step, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX sample_old ON sample (step, at);                   -- what grows old first

CREATE TABLE attempt (
    postback    INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    verdict     INTEGER NOT NULL,
    error       INTEGER NOT NULL,
    detail      TEXT,
    status      INTEGER NOT NULL,
    headers     BLOB,
    body        BLOB,
    body_bytes  INTEGER NOT NULL,                               -- as received; body may hold fewer
    PRIMARY KEY (postback, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE replay (                                           -- a range of time sent once more
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account,
    notification INTEGER NOT NULL REFERENCES notification,      -- to which
    source       INTEGER NOT NULL,                              -- whose postbacks; 0: the account's events
    start_at     INTEGER NOT NULL,
    end_at       INTEGER NOT NULL,                              -- not included
    until        INTEGER NOT NULL,                              -- the id where it ends
    states       INTEGER NOT NULL,                              -- of the source's postbacks: 1 << state
    types        TEXT    NOT NULL,                              -- JSON array of names; []: all that it wants
    state        INTEGER NOT NULL CHECK (state IN (1, 2, 3)),   -- running, done, cancelled
    next         INTEGER NOT NULL,                              -- ids under it are done
    total        INTEGER,                                       -- in the range; NULL: not counted yet
    done         INTEGER NOT NULL DEFAULT 0,
    sent         INTEGER NOT NULL DEFAULT 0,                    -- postbacks written; an event is sent once
    created_at   INTEGER NOT NULL,
    finished_at  INTEGER
) STRICT;
CREATE INDEX replay_of ON replay (notification, id);
CREATE INDEX replay_running ON replay (account) WHERE state = 1;

CREATE TABLE notice (                                           -- the system's message to an account
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    INTEGER NOT NULL REFERENCES account,
    kind       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    read_at    INTEGER
) STRICT;
CREATE INDEX notice_of ON notice (account, id);
CREATE INDEX notice_unread ON notice (account) WHERE read_at IS NULL;

CREATE TABLE episode (                                          -- a notification's trouble, while it lasts
    notification INTEGER NOT NULL REFERENCES notification,
    kind         INTEGER NOT NULL CHECK (kind IN (1, 2)),       -- failing, late
    maintenance  INTEGER NOT NULL,                              -- late because of the operator's pause
    since        INTEGER NOT NULL,
    PRIMARY KEY (notification, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE maintenance (                                      -- the operator's pauses; all but the last are over
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7), -- scheduled, starting, on, ending, catching up, cancelled, over
    message         TEXT    NOT NULL DEFAULT '',
    start_at        INTEGER NOT NULL,                           -- as asked for
    expected_end_at INTEGER,
    started_at      INTEGER,
    ended_at        INTEGER,
    backlog         INTEGER NOT NULL DEFAULT 0,                 -- postbacks due at its end
    told            INTEGER NOT NULL DEFAULT 0                  -- accounts up to this id know of its state
) STRICT;

CREATE TABLE support_request (                                  -- an account asks, the operator answers
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account,
    notification INTEGER,                                       -- it is about; NULL: none
    kind         INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4), -- custom header, data point, delay, other
    state        INTEGER NOT NULL CHECK (state IN (1, 2, 3)),   -- open, answered, closed
    subject      TEXT    NOT NULL,
    asked_at     INTEGER NOT NULL,                              -- since when it waits for the operator
    created_at   INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX support_request_of ON support_request (account, id);

CREATE TABLE support_message (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    request    INTEGER NOT NULL REFERENCES support_request,
    account    INTEGER NOT NULL REFERENCES account,             -- whose: the request's own, or the operator's
    author     TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX support_message_of ON support_message (request, id);

CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    account    INTEGER NOT NULL,
    actor      TEXT    NOT NULL,                                -- who: a user's name or a token's label
    address    TEXT    NOT NULL,                                -- from where
    action     TEXT    NOT NULL,                                -- "notification.change"
    object     TEXT    NOT NULL,                                -- its URI
    detail     TEXT    NOT NULL DEFAULT ''                      -- JSON; never a secret
) STRICT;
CREATE INDEX audit_of ON audit (account, id);
