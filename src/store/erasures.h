/* erasures.h — what is known of one customer of an account, emptied wherever it lies.
 *
 * A job goes from place to place (api/erasures.c): first the customer's inquiries and actions are
 * found, and with them the words by which the customer is known elsewhere; then each row that holds
 * such a word is emptied, and at last the inquiries and actions themselves.  Figures stay, and so
 * do dates, states and which accounts and campaigns it was about.  What has been found is kept in
 * the table erasure_find until the job ends.
 *
 * An event is emptied when none of its postbacks is still to be delivered: those go first, or are
 * cancelled.
 */
#ifndef POSTBACKD_ERASURES_H
#define POSTBACKD_ERASURES_H

#include "db/store.h"

#include <jansson.h>

struct erasure {
    int64_t errand, account; /* the job; whose customer it is */
    const char *customer;    /* CustomerId; NULL: not by it */
    const char *order;       /* OrderId; NULL: not by it */
    bool cancels;            /* what is still to be delivered */
};

enum erasure_place { /* in this order; the numbers are in a job's row */
                     ERASURE_FINDS_INQUIRIES,
                     ERASURE_FINDS_ACTIONS,
                     ERASURE_EVENTS, /* with their postbacks and attempts */
                     ERASURE_AUDIT,
                     ERASURE_NOTICES,
                     ERASURE_INQUIRIES,
                     ERASURE_ACTIONS,
                     ERASURE_JOBS, /* results of exports that those who know the customer keep */
                     ERASURE_PLACES
};

/* In a write, before the first look: what was asked for is a word, too. */
void erasure_begin(struct db *db, const struct erasure *erasure);
/* In a read: ids above *after of rows that are to be taken, `most` at the most, until it is
 * `until_us` by the steady clock; *after moves.  Gives how many; *end: there are no more. */
size_t erasure_look(struct db *db, const struct erasure *erasure, enum erasure_place place,
                    int64_t *after, int64_t *ids, size_t most, int64_t until_us, bool *end);
/* In a write, of any place but ERASURE_JOBS: empties that row.  False: ERROR_UNAVAILABLE, a
 * postback of the event is still to be delivered; or another job->error. */
bool erasure_take(struct job *job, struct db *db, const struct erasure *erasure,
                  enum erasure_place place, int64_t id);
/* So many more rows of this kind were emptied. */
void erasure_count(struct db *db, int64_t errand, const char *what, int64_t rows);
/* {"Inquiries": "3", …}: the rows that were emptied, by what they were. */
json_t *erasure_counts(struct db *db, int64_t errand);
/* What was found is forgotten, and what its request asked for: the job has ended. */
void erasure_end(struct db *db, int64_t errand, json_t *request);

#endif
