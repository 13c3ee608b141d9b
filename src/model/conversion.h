/* conversion.h — what an inbound tracking postback says: the parameters of /Track, checked. */
#ifndef POSTBACKD_CONVERSION_H
#define POSTBACKD_CONVERSION_H

#include "base/problem.h"
#include "model/action.h"

#include <jansson.h>

struct conversion {           /* strings are owned; NULL: not given */
    char *order_id, *partner; /* the partner's SID */
    char *amount;             /* as written: read in its currency, which may be the campaign's */
    char *currency;
    char *customer_id, *promo_code;
    char *sub_ids[ACTION_SUB_IDS], *shared_id;
    int64_t event_at;
};

extern const char *const conversion_names[]; /* of the parameters, NULL-ended; and "token" */

/* `given` is flat; names that are not parameters are wrong too.  Dates that are
 * date_is_future() by so many ms ahead are wrong. */
void conversion_read(struct conversion *conversion, const json_t *given, int64_t now_ms,
                     int64_t ahead_ms, struct problems *problems);
void conversion_free(struct conversion *conversion);

/* Fills the action from it (campaign, tracker, partner, brand and their names are the caller's);
 * the amount is read in the currency given, else the campaign's.  False with problems. */
bool conversion_action(const struct conversion *conversion, const char *campaign_currency,
                       int64_t now_ms, struct action *action, struct problems *problems);

#endif
