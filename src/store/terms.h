/* terms.h — the terms of action trackers on disk. */
#ifndef POSTBACKD_STORE_TERMS_H
#define POSTBACKD_STORE_TERMS_H

#include "db/db.h"
#include "model/terms.h"

#include <jansson.h>

enum { TERMS_MOST = 1000 /* of one campaign */ };

/* Those in force for this partner and an event at this time: the partner's own go before those for
 * all, and of these the ones that began last.  False: there are none. */
bool terms_in_force(struct db *db, int64_t tracker, int64_t partner, int64_t event_at,
                    struct terms *out);
/* Of their tracker, partner, and date; sets the id.  False: there are terms for just these. */
bool terms_add(struct db *db, struct terms *terms);
/* Of this brand (0: any).  False: there are none such. */
bool terms_remove(struct db *db, int64_t brand, int64_t id);
int64_t terms_count(struct db *db, int64_t campaign);
/* The API's objects, the newest date first: of this brand, or those that apply to this partner (the
 * other is 0); of this campaign, or (0) of all.  At most TERMS_MOST. */
json_t *terms_list(struct db *db, int64_t brand, int64_t partner, int64_t campaign);

#endif
