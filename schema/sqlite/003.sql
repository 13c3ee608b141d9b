-- An event for very many notifications: its postbacks are written in steps, so that others need not wait for all of them.
-- Those of later steps do not follow the event's id; they have resent = 0, as those of a replay, and so are in postback_again.
CREATE TABLE fan_out (                                          -- those that are not finished
    event    INTEGER PRIMARY KEY,
    account  INTEGER NOT NULL,
    after    INTEGER NOT NULL,                                  -- the notification of the last step's last postback
    last     INTEGER NOT NULL,                                  -- the last notification there was when the event came
    left_out INTEGER NOT NULL                                   -- one that does not get it; 0: none
) STRICT;
CREATE INDEX fan_out_of ON fan_out (account);                   -- its oldest
DROP INDEX postback_again;
CREATE INDEX postback_again ON postback (event, replay) WHERE resent IS NOT NULL; -- an event's that do not follow its id; one replay's
