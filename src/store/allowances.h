/* allowances.h — limits over all servers that share a database: how much of one is used.
 *
 * A row for each limited thing and span of time.  Whoever is to let something through draws from
 * it first, as much as it likes at once; the row's lock makes servers take turns, so that no more
 * is given out than the limit.  What was drawn and not used is lost with the span.
 *
 * In small transactions beside the others (store_aside()).
 */
#ifndef POSTBACKD_ALLOWANCES_H
#define POSTBACKD_ALLOWANCES_H

#include "db/db.h"

enum allowance_kind {                         /* on disk */
                      ALLOWANCE_REQUESTS = 1, /* of an account's API, by the clock's hour */
                      ALLOWANCE_PASSWORDS =
                          2, /* tries by a name (api/tries.h), by the clock's minute */
};

struct allowance {
    enum allowance_kind kind;
    int64_t key;  /* the account; the name's hash */
    int64_t span; /* wall clock: the hour, the minute since 1970 */
    int most;
};
/* Gives how many of `want` it got.  *used: in all then, with those. */
int allowance_draw(struct db *db, const struct allowance *allowance, int want, int *used);
/* One that was drawn was not used. */
void allowance_give_back(struct db *db, const struct allowance *allowance);
/* Those of spans before this one, `most` at most.  How many. */
int allowances_expire(struct db *db, enum allowance_kind kind, int64_t span, int most);

#endif
