/* replays.h — replays on disk: the events of a range of time sent once more to an event
 * notification, a few at a time.
 *
 * What is replayed: the postbacks of one notification (its own, or another of the account's) that
 * were made in the range, in order of id; or all events of the account that came in the range.
 * Only those whose event the notification wants.  Each event is sent once, under a new postback,
 * however often it is in the range.
 *
 * One that is `lacking` sends only what its notification has not got: of its own postbacks, the
 * latest of an event of which none was delivered or waits; of all events, those of which it never
 * had a postback (it was not there yet, or did not want them).
 */
#ifndef POSTBACKD_REPLAYS_H
#define POSTBACKD_REPLAYS_H

#include "db/store.h"
#include "model/notification.h"
#include "model/postback.h"

enum replay_state { REPLAY_RUNNING = 1, REPLAY_DONE = 2, REPLAY_CANCELLED = 3 };

enum {
    REPLAY_STEP_MOST = 200,   /* postbacks written at once */
    REPLAY_RUNNING_MOST = 20, /* an account's */
    REPLAY_ALL_STATES = (1 << POSTBACK_STATES) - 1,
};

struct replay {
    int64_t id, account, notification;
    int64_t source; /* the notification whose postbacks are sent; 0: the account's events */
    int64_t start_at, end_at; /* ms: from <= x < until */
    int64_t until;            /* the id that is the end: never above the newest when it began */
    unsigned states;          /* of the source's postbacks, 1 << enum postback_state */
    bool lacking;             /* only events that the notification has not been sent: see .c */
    const struct event_type *types[NOTIFICATION_TYPES_MAX];
    size_t type_count; /* 0: all that the notification wants */
    enum replay_state state;
    int64_t next;              /* ids under it are done */
    int64_t total, done, sent; /* in the range (-1: not counted yet), of these done; written */
    int64_t created_at, finished_at;
};

/* ---- for accounts ---- */

/* Writes a new one, RUNNING; sets its id and what the range begins and ends with.  False:
 * ERROR_CONFLICT when one is running for the notification, or too many for the account. */
bool replay_add(struct job *job, struct db *db, struct replay *replay);
/* RUNNING to CANCELLED; what was written already goes out.  False: ERROR_CONFLICT when it has
 * ended, or (without an error) not there. */
bool replay_cancel(struct job *job, struct db *db, int64_t account, int64_t notification,
                   int64_t id);
/* Takes back what can be: a running one ends, and of its postbacks that wait up to
 * REPLAY_UNDO_MOST are cancelled.  False: not there. */
enum { REPLAY_UNDO_MOST = 200 };
struct replay_undo {
    bool ended;        /* it was running */
    int64_t cancelled; /* postbacks */
    bool more;         /* others still wait */
};
bool replay_undo(struct job *job, struct db *db, int64_t account, int64_t notification, int64_t id,
                 struct replay_undo *out);
/* The API's object; NULL: not there. */
json_t *replay_show(struct db *db, int64_t account, int64_t notification, int64_t id);
/* Newest first, ids under `before` (0: from the newest). */
json_t *replay_list(struct db *db, int64_t account, int64_t notification, int64_t before,
                    int limit);
/* Whether the account has, or had, this notification. */
bool replay_source_exists(struct db *db, int64_t account, int64_t notification);

/* What ids a range that was never written would have: sets until, and next to where it begins. */
void replay_aim(struct db *db, struct replay *replay);

/* ---- for the engine ---- */

struct replay_name {
    int64_t id, notification;
};
size_t replay_running(struct db *db, struct replay_name **out /* the caller frees */);
bool replay_load(struct db *db, int64_t id, struct replay *out);

/* A stretch of a replay's range, in a read job. */
struct replay_look {
    int64_t at;      /* from this id on (0: the start); then: where to go on */
    int64_t horizon; /* ids under it have their rows; nothing is looked at from there on */
    int rows;        /* looks at no more than this many */
    size_t limit;    /* and finds no more than this many; 0: only counts */
    int64_t found;   /* how many match */
    bool end;        /* of the range */
    bool wait;       /* the range goes on behind the horizon, up to which all was looked at */
    size_t count;
    struct replay_item {
        int64_t event, postback; /* 0: from the account's events */
    } items[REPLAY_STEP_MOST];
};
void replay_look(struct db *db, const struct replay *replay, const struct notification *to,
                 struct replay_look *look);

/* Postbacks of a notification that wait and are due, counted up to `most`. */
size_t replay_backlog(struct db *db, int64_t notification, int most);

/* In a write job: writes what was found as postbacks WAITING and due, and how far the replay is;
 * at the end of the range it is DONE.  Nothing when it is no longer RUNNING, or not at `from`;
 * CANCELLED when its notification is gone. */
void replay_write(struct db *db, int64_t id, int64_t from, const struct replay_look *look);
/* RUNNING to CANCELLED: its notification was deleted, or cannot be read. */
void replay_give_up(struct db *db, int64_t id);
void replay_counted(struct db *db, int64_t id, int64_t total);

#endif
