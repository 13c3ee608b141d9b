/* postback_walk.h — the ids of an account's postbacks, newest first, without a scan of the table.
 */
#ifndef POSTBACKD_POSTBACK_WALK_H
#define POSTBACKD_POSTBACK_WALK_H

#include "store/postbacks.h"

struct walk;

/* Ids that may match the filter: those of the account (or of its notification, inquiry, action or
 * order, in the filter), created in time, under the cursor.  The caller looks at each row. */
struct walk *walk_new(struct db *db, int64_t account, const struct postback_filter *filter);
int64_t walk_next(struct walk *walk); /* 0: no more */
/* Behind the last one: where to go on, when it had to stop; 0: there are no more. */
int64_t walk_stopped(const struct walk *walk);
/* The order is one of no inquiry or action: the caller looks for it in the events' data. */
bool walk_reads_data(const struct walk *walk);
void walk_free(struct walk *walk);

#endif
