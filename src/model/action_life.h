/* action_life.h — the steps of an action's life: which may be taken, what each changes, and how
 * much money that is.
 *
 * A step that the brand takes is read first (action_change_read) and taken later, when the action,
 * and so its currency, is known (action_change_apply).  Locking and clearing are steps of time.
 * All of it is pure.  A step is told as differences, and these are exact: what a step's parts add
 * up to is what it did to amount and payout, to the minor unit.
 */
#ifndef POSTBACKD_ACTION_LIFE_H
#define POSTBACKD_ACTION_LIFE_H

#include "base/error.h"
#include "base/problem.h"
#include "model/action.h"

enum action_step {                     /* the numbers are on disk */
                   ACTION_TRACK = 1,   /* it is made */
                   ACTION_MODIFY = 2,  /* the brand: another amount, or other items */
                   ACTION_REVERSE = 3, /* the brand: it is taken back */
                   ACTION_APPROVE = 4, /* the brand: it locks now */
                   ACTION_LOCK = 5,    /* its LockingDate has come */
                   ACTION_CLEAR = 6,   /* its ClearingDate has come */
                   ACTION_STEPS
};
const char *action_step_name(enum action_step step);  /* "TRACKED", "MODIFIED", …; "" for none */
const char *action_step_event(enum action_step step); /* "action.modified" */

/* Whether the step may be taken in this state.  False: *error says why not (ERROR_CONFLICT). */
bool action_may(const struct action *action, enum action_step step, struct error *error);

/* What one step did, in parts: one for each item that it changed, else one. */
enum { ACTION_PARTS_MAX = 100, SKU_MAX = 200 /* characters */ };
struct action_part {
    const char *sku;                    /* of the change's; "": of the whole order */
    int64_t quantity;                   /* of that item, now; -1: none was given */
    int64_t delta_amount, delta_payout; /* minor units */
};
struct action_taken { /* zeroed by whoever takes the step */
    enum action_step step;
    struct action_part parts[ACTION_PARTS_MAX];
    size_t count; /* 0: nothing has changed, and nothing is to be told */
};

/* ACTION_APPROVE, ACTION_LOCK or ACTION_CLEAR.  False: *error. */
bool action_take(struct action *action, enum action_step step, int64_t now_ms,
                 struct action_taken *taken, struct error *error);

/* ---- the brand's change ---- */

struct action_change_item {
    char *sku, *delta; /* owned; delta: as written, NULL: none given */
    int64_t quantity;  /* the new one; -1: none given */
    bool repeated;     /* set by who knows the history: the item's last change was the same */
};

struct action_change { /* texts are owned; NULL or 0: not given */
    int64_t action;    /* the key: this … */
    int64_t tracker;   /* … or these two */
    char *order_id;
    enum action_step step; /* ACTION_MODIFY, ACTION_REVERSE or ACTION_APPROVE */
    char *amount;          /* as written: read in the action's currency */
    struct action_change_item items[ACTION_PARTS_MAX];
    size_t item_count;
    const char *disposition;
    const char *(*label)(const char *); /* as in struct fields; NULL: names as they are */
};
/* From flat fields; `removing`: of a call that reverses. */
void action_change_read(struct action_change *change, const json_t *from, bool removing,
                        const char *(*label)(const char *), struct problems *problems);
void action_change_free(struct action_change *change);
/* The action is changed as a whole or not at all: false with problems or *error.  True with no
 * parts: it is as the change wants it already. */
bool action_change_apply(const struct action_change *change, struct action *action, int64_t now_ms,
                         struct action_taken *taken, struct problems *problems,
                         struct error *error);

#endif
