-- Inquiries: what is attached to them, and decisions that can still be taken back.
CREATE TABLE inquiry_words (                                    -- what an account may search its inquiries for
    account INTEGER NOT NULL,
    inquiry INTEGER NOT NULL,
    words   TEXT    NOT NULL,                                   -- of either case made one (base/fold.h)
    PRIMARY KEY (account, inquiry)
) STRICT, WITHOUT ROWID;

CREATE TABLE inquiry_step (                                     -- an inquiry's history
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    inquiry    INTEGER NOT NULL REFERENCES inquiry,
    step       INTEGER NOT NULL CHECK (step BETWEEN 0 AND 11),  -- enum inquiry_step, enum inquiry_note
    account    INTEGER NOT NULL,                                -- whose step it was
    author     TEXT    NOT NULL,
    reason     INTEGER,                                         -- of a refusal, as inquiry.reject_reason
    words      TEXT    NOT NULL DEFAULT '',                     -- notes, a question, a comment, a name
    payout     INTEGER,                                         -- that was granted
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inquiry_step_of ON inquiry_step (inquiry, id);

ALTER TABLE inquiry ADD COLUMN brand_assignee INTEGER;          -- a person of the brand's who sees to it
ALTER TABLE inquiry ADD COLUMN partner_assignee INTEGER;

CREATE TABLE held_decision (                                    -- a brand's decision that can still be taken back
    inquiry    INTEGER PRIMARY KEY REFERENCES inquiry,
    brand      INTEGER NOT NULL,
    status     INTEGER NOT NULL,                                -- of the inquiry, once it is taken
    person     INTEGER NOT NULL,                                -- who decided; 0: a token
    token      INTEGER NOT NULL,
    author     TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    decision   TEXT    NOT NULL,                                -- JSON, as it was given
    due_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX held_decision_due ON held_decision (due_at);

CREATE TABLE attachment (                                       -- a file at an inquiry
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    inquiry    INTEGER NOT NULL REFERENCES inquiry,
    account    INTEGER NOT NULL,                                -- whose it is
    author     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    kind       INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),      -- PDF, PNG, JPEG
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attachment_of ON attachment (inquiry, id);
CREATE INDEX attachment_kept ON attachment (account, bytes);    -- the share

CREATE TABLE attachment_chunk (
    attachment INTEGER NOT NULL REFERENCES attachment,
    number     INTEGER NOT NULL,                                -- from 0
    body       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX attachment_chunk_of ON attachment_chunk (attachment, number);

INSERT INTO inquiry_words (account, inquiry, words)
    SELECT brand, id, fold(substr(order_id || char(10) || (SELECT name FROM account WHERE id = partner) || char(10) || promo_code || char(10) || resolution_notes || char(10) ||
        coalesce((SELECT group_concat(text, char(10)) FROM comment WHERE inquiry = inquiry.id), ''), 1, 8000)) FROM inquiry;
INSERT INTO inquiry_words (account, inquiry, words)
    SELECT partner, id, fold(substr(order_id || char(10) || reference || char(10) || customer_id || char(10) || notes || char(10) || promo_code ||
        char(10) || resolution_notes || char(10) || coalesce((SELECT group_concat(text, char(10)) FROM comment WHERE inquiry = inquiry.id), ''), 1, 8000))
    FROM inquiry;
INSERT INTO inquiry_step (inquiry, step, account, author, created_at)
    SELECT i.id, 0, i.partner, p.name, i.created_at FROM inquiry i JOIN account p ON p.id = i.partner ORDER BY i.id;
INSERT INTO inquiry_step (inquiry, step, account, author, reason, words, payout, created_at)
    SELECT i.id, i.status - 1, i.brand, b.name, CASE i.status WHEN 3 THEN i.reject_reason END, i.resolution_notes,
        CASE i.status WHEN 2 THEN i.final_payout END, coalesce(i.resolved_at, i.created_at)
    FROM inquiry i JOIN account b ON b.id = i.brand WHERE i.status IN (2, 3, 4) ORDER BY i.id;
INSERT INTO inquiry_step (inquiry, step, account, author, created_at)
    SELECT i.id, 6, i.partner, p.name, coalesce(i.closed_at, i.created_at) FROM inquiry i JOIN account p ON p.id = i.partner WHERE i.state = 2 ORDER BY i.id;
