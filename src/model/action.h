/* action.h — a conversion credited to a partner. */
#ifndef POSTBACKD_ACTION_H
#define POSTBACKD_ACTION_H

#include "base/buf.h"
#include "model/inquiry.h"
#include "model/terms.h"

enum action_status { ACTION_PENDING = 1, ACTION_APPROVED = 2, ACTION_REVERSED = 3 };

enum { ACTION_SUB_IDS = 3, SUB_ID_MAX = 200 /* characters */ };

struct action { /* strings are owned, and may be NULL */
    int64_t id, partner, brand, campaign, tracker;
    char *campaign_name, *partner_name, *tracker_name;
    int64_t inquiry; /* 0: not made by one */
    char *order_id, *promo_code;
    char *customer_id;         /* as the brand knows them */
    char *partner_customer_id; /* as the partner does, of an inquiry's; NULL or "": not at all */
    char *sub_ids[ACTION_SUB_IDS], *shared_id; /* the partner's own values, and a shared one */
    enum action_status status;
    /* Minor units, or MONEY_NONE: now, before any change, and what the last step did to them. */
    int64_t amount, payout, intended_amount, intended_payout, delta_amount, delta_payout;
    char currency[4];
    const char *referring_type; /* "ACTION_INQUIRY", "DATAPOST" */
    const char *disposition;    /* why it is as it is: a constant of action_disposition(), or "" */
    int64_t event_at, created_at, updated_at;
    int64_t locking_at;  /* will lock, or has; DATE_NONE: never by itself */
    int64_t clearing_at; /* will clear, or has; DATE_NONE: never */
    int64_t cleared_at;  /* DATE_NONE: not yet */
    /* What it goes by, of the terms that were in force when it was made (terms.h). */
    enum payout_kind payout_kind;
    int64_t payout_rate;
    int clearing_days;
    int64_t revision; /* how many steps it has taken */
    char *items;      /* JSON array text, or NULL */
};

/* The action that an accepted inquiry makes; its id and the brand's CustomerId are the caller's to
 * set. */
void action_from_inquiry(struct action *action, const struct inquiry *inquiry, int64_t tracker,
                         const char *tracker_name, int64_t now_ms);
void action_free(struct action *action);
/* A fresh one's further fields: its first values are what was intended, and its first change.
 * `terms` (NULL: there are none) give its dates; and its payout, unless it has one already. */
void action_begin(struct action *action, const struct terms *terms);
/* The constant of that name; NULL: there is no such disposition. */
const char *action_disposition(const char *name);
/* All that a change, or (reversing) a reversal may give: NULL-ended. */
const char *const *action_dispositions(bool reversing);
const char *action_status_name(enum action_status status);
bool action_status_named(const char *name, enum action_status *status);
const char *action_referring_type(const char *name); /* the constant; "" for another name */
/* for_brand: whose CustomerId it shows. */
json_t *action_show(const struct action *action, bool for_brand);
/* The item of this Sku, borrowed, of a list of items (NULL: none); NULL: there is no such one. */
json_t *action_item(const json_t *items, const char *sku);
/* Whether partner and brand see anything different in it: then each has event data of its own. */
bool action_sides_differ(const struct action *action);
/* The canonical data of an event of any type about it. */
void action_event_data(const struct action *action, bool for_brand, struct buf *out);

#endif
