/* action.h — a conversion credited to a partner. */
#ifndef POSTBACKD_ACTION_H
#define POSTBACKD_ACTION_H

#include "base/buf.h"
#include "model/inquiry.h"

enum action_status { ACTION_PENDING = 1, ACTION_APPROVED = 2, ACTION_REVERSED = 3 };

enum { ACTION_SUB_IDS = 3, SUB_ID_MAX = 200 /* characters */ };

struct action { /* strings are owned, and may be NULL */
    int64_t id, partner, brand, campaign, tracker;
    char *campaign_name, *partner_name, *tracker_name;
    int64_t inquiry; /* 0: not made by one */
    char *order_id, *promo_code;
    char *customer_id;         /* as the brand knows them */
    char *partner_customer_id; /* as the partner does, of an inquiry's; NULL or "": the same */
    char *sub_ids[ACTION_SUB_IDS], *shared_id; /* the partner's own values, and a shared one */
    enum action_status status;
    int64_t amount, payout; /* minor units, or MONEY_NONE */
    char currency[4];
    const char *referring_type; /* "ACTION_INQUIRY", "DATAPOST" */
    int64_t event_at, created_at;
    char *items; /* JSON array text, or NULL */
};

/* The action that an accepted inquiry makes; its id and the brand's CustomerId are the caller's to
 * set. */
void action_from_inquiry(struct action *action, const struct inquiry *inquiry, int64_t tracker,
                         const char *tracker_name, int64_t now_ms);
void action_free(struct action *action);
const char *action_status_name(enum action_status status);
bool action_status_named(const char *name, enum action_status *status);
const char *action_referring_type(const char *name); /* the constant; "" for another name */
/* for_brand: whose CustomerId it shows. */
json_t *action_show(const struct action *action, bool for_brand);
void action_event_data(const struct action *action, bool for_brand,
                       struct buf *out); /* canonical */

#endif
