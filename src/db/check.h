/* check.h — what a check of the store tells, and looks at rows that are part of one.
 *
 * Everything is read, nothing is written, and what is found is told one by one.  A running server
 * is not in its way: each look is a snapshot of its own, and one that the server would have to wait
 * for is given up.
 */
#ifndef POSTBACKD_CHECK_H
#define POSTBACKD_CHECK_H

#include "db/db.h"

#include <stdbool.h>

enum check_news {
    CHECK_STEP,    /* what is looked at now */
    CHECK_FINE,    /* it is whole */
    CHECK_NOTE,    /* worth knowing, and no damage */
    CHECK_DAMAGE,  /* it is not whole */
    CHECK_FAILURE, /* it could not be looked at */
    CHECK_NEWS
};

struct check {
    void (*tell)(void *context, enum check_news news, const char *words);
    void *context;
    int told[CHECK_NEWS]; /* how many of each; the check's own */
};

enum { CHECK_FINDINGS_MOST = 100 }; /* of one look; the others are counted */

__attribute__((format(printf, 3, 4))) void check_tell(struct check *check, enum check_news news,
                                                      const char *format, ...);
int check_bad(const struct check *check); /* damages and failures told so far */

/* Everything that is below the rows: the driver's (driver.h).  A connection to look at the rows
 * with; NULL: they cannot be looked at.  db_close() ends it. */
struct db *check_database(struct check *check, const struct db_where *where);

/* A look at rows, in a snapshot of its own: a statement to bind and step, which check_end()
 * finishes. False: it did not come to its end, which is told with `what`. */
struct stmt *check_begin(struct db *db, const char *sql);
bool check_end(struct check *check, struct db *db, const char *what, struct stmt *stmt);
int64_t check_number(struct check *check, struct db *db, const char *what, const char *sql,
                     int64_t none);

#endif
