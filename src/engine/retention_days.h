/* retention_days.h — where the hot tables are in pieces by day: the pieces of days to come are
 * made, and those whose rows are all old are dropped (store/retention.h, db/partitions.h).
 *
 * Done by the server on duty, a look a minute, beside other writes.  What the walk of retention.h
 * is to delete, it still does: the rest, and days of which too much has to stay.
 */
#ifndef POSTBACKD_RETENTION_DAYS_H
#define POSTBACKD_RETENTION_DAYS_H

#include "engine/work.h"

struct retention_days;
struct retention_days *retention_days_new(struct work *work);
void retention_days_free(struct retention_days *days); /* NULL is allowed */
/* As sweep_set_age(); 0: all is kept for ever, and no pieces are made. */
void retention_days_set_age(struct retention_days *days, int64_t age_ms);

#endif
