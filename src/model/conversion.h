/* conversion.h — what a conversion says: the parameters of /Track, or the fields of POST
 * …/Conversions, checked. */
#ifndef POSTBACKD_CONVERSION_H
#define POSTBACKD_CONVERSION_H

#include "base/problem.h"
#include "model/action.h"
#include "model/order_items.h"

#include <jansson.h>

struct conversion {           /* strings are owned; NULL: not given */
    char *order_id, *partner; /* the partner's SID */
    char *amount;             /* as written: read in its currency, which may be the campaign's */
    char *currency;
    char *customer_id, *promo_code;
    char *sub_ids[ACTION_SUB_IDS], *shared_id;
    int64_t event_at;
    struct order_items items;           /* of POST …/Conversions; none of /Track */
    const char *(*label)(const char *); /* as in struct fields */
    int64_t partner_id;                 /* in place of the SID; 0: the SID is given */
};

extern const char *const conversion_names[]; /* of the parameters, NULL-ended; and "token" */

/* `given` is flat; names that are not parameters are wrong too.  Dates that are
 * date_is_future() by so many ms ahead are wrong. */
void conversion_read(struct conversion *conversion, const json_t *given, int64_t now_ms,
                     int64_t ahead_ms, struct problems *problems);
/* The same under impact.com's published names, as POST …/Conversions takes them: CampaignId and
 * EventTypeId besides, which are given out, MediaPartnerId for the partner, and items. */
void conversion_read_published(struct conversion *conversion, const json_t *given, int64_t now_ms,
                               int64_t ahead_ms, struct problems *problems, int64_t *campaign,
                               int64_t *tracker);
void conversion_free(struct conversion *conversion);

/* Fills the action from it (campaign, tracker, partner, brand and their names are the caller's);
 * the amount is read in the currency given, else the campaign's; without one it is what the items
 * come to.  False with problems. */
bool conversion_action(const struct conversion *conversion, const char *campaign_currency,
                       int64_t now_ms, struct action *action, struct problems *problems);

#endif
