-- An action's life: terms, updates, items with amounts.
CREATE TABLE terms (                                            -- of an action tracker; an action copies what it needs of them
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    tracker        INTEGER NOT NULL REFERENCES tracker,
    partner        INTEGER NOT NULL,                            -- 0: every partner
    payout_kind    INTEGER NOT NULL CHECK (payout_kind IN (1, 2)), -- percent, fixed
    payout         INTEGER NOT NULL,                            -- ten-thousandths of a percent; minor units
    locking        INTEGER NOT NULL CHECK (locking IN (0, 1, 2)), -- never, from the event's date, from its month's end
    locking_days   INTEGER NOT NULL,
    locking_month_day INTEGER NOT NULL,                         -- 0: at once
    clearing_days  INTEGER,                                     -- after locking; NULL: never by itself
    from_at        INTEGER NOT NULL,                            -- for events at this time or later
    created_at     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX terms_of ON terms (tracker, partner, from_at); -- those in force for a partner

ALTER TABLE action ADD COLUMN intended_amount INTEGER;          -- before any change
ALTER TABLE action ADD COLUMN intended_payout INTEGER;
ALTER TABLE action ADD COLUMN payout_kind INTEGER NOT NULL DEFAULT 0; -- granted, percent, fixed
ALTER TABLE action ADD COLUMN payout_rate INTEGER NOT NULL DEFAULT 0; -- as terms.payout
ALTER TABLE action ADD COLUMN clearing_days INTEGER;            -- as terms.clearing_days
ALTER TABLE action ADD COLUMN disposition TEXT NOT NULL DEFAULT '';
ALTER TABLE action ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE action ADD COLUMN locking_at INTEGER;               -- locks then, or has; NULL: never by itself
ALTER TABLE action ADD COLUMN clearing_at INTEGER;              -- clears then, or has; NULL: never
ALTER TABLE action ADD COLUMN cleared_at INTEGER;
ALTER TABLE action ADD COLUMN revision INTEGER NOT NULL DEFAULT 1; -- how many steps it has taken
UPDATE action SET intended_amount = amount, intended_payout = payout, updated_at = created_at;
CREATE INDEX action_to_lock ON action (brand, locking_at) WHERE status = 1 AND locking_at IS NOT NULL;
CREATE INDEX action_to_clear ON action (brand, clearing_at) WHERE status = 2 AND cleared_at IS NULL AND clearing_at IS NOT NULL;
CREATE INDEX action_of_inquiry ON action (inquiry) WHERE inquiry IS NOT NULL; -- an inquiry's page

CREATE TABLE action_update (                                    -- one for each part of a step: the first tells that it was made
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    action        INTEGER NOT NULL REFERENCES action,
    partner       INTEGER NOT NULL,                             -- the action's, as are brand and campaign
    brand         INTEGER NOT NULL,
    campaign      INTEGER NOT NULL,
    step          INTEGER NOT NULL CHECK (step BETWEEN 1 AND 6), -- tracked, modified, reversed, approved, locked, cleared
    status        INTEGER NOT NULL CHECK (status IN (1, 2, 3)), -- of the action since then
    disposition   TEXT    NOT NULL DEFAULT '',
    delta_amount  INTEGER NOT NULL,
    delta_payout  INTEGER NOT NULL,
    sku           TEXT    NOT NULL DEFAULT '',
    quantity      INTEGER,                                      -- of that item, since then
    locking_at    INTEGER,
    clearing_at   INTEGER,
    partner_event INTEGER,                                      -- the events of the step; NULL: an other part has them
    brand_event   INTEGER,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX action_update_of ON action_update (action, id);    -- its history
CREATE INDEX action_update_of_partner ON action_update (partner, id);
CREATE INDEX action_update_of_brand ON action_update (brand, id);
INSERT INTO action_update (action, partner, brand, campaign, step, status, delta_amount, delta_payout, created_at)
    SELECT id, partner, brand, campaign, 1, 1, coalesce(amount, 0), coalesce(payout, 0), created_at FROM action ORDER BY id;
