/* check.h — is a store whole?  Of a stopped server or of one that runs.
 *
 * Everything is read, nothing is written, and what is found is told one by one.  A running server
 * is not in its way: each look is a snapshot of its own, and one that the server's log has grown
 * far behind is given up.
 */
#ifndef POSTBACKD_CHECK_H
#define POSTBACKD_CHECK_H

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
    int told[CHECK_NEWS]; /* how many of each; the function's */
};

/* Checks the data directory's log, file, schema, counts, rows and key. */
void check_store(struct check *check, const char *directory);

#endif
