/* idempotency.h — calls that were made under an Idempotency-Key, and what they were answered.
 *
 * A row is written in the transaction of what the call made, so one is never there without the
 * other; the answer is added behind it.  Rows are kept for a day.
 */
#ifndef POSTBACKD_IDEMPOTENCY_STORE_H
#define POSTBACKD_IDEMPOTENCY_STORE_H

#include "base/buf.h"
#include "db/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    IDEMPOTENCY_MS = 24 * 3600 * 1000,
    IDEMPOTENCY_MOST = 1000,             /* keys of an account within that time */
    IDEMPOTENCY_ANSWER_MOST = 64 * 1024, /* bytes of an answer that is kept */
    IDEMPOTENCY_HASH_BYTES = 32,
};

struct idempotency_key {
    int64_t account;
    unsigned char name[IDEMPOTENCY_HASH_BYTES];    /* of address and key */
    unsigned char request[IDEMPOTENCY_HASH_BYTES]; /* of the body */
};

struct idempotency_kept {
    bool same;         /* the request was this one */
    int status;        /* 0: its answer was not kept */
    struct buf answer; /* the caller frees (and wipes) it */
};

bool idempotency_find(struct db *db, const struct idempotency_key *key,
                      struct idempotency_kept *out);
/* False: the account has too many. */
bool idempotency_add(struct db *db, const struct idempotency_key *key);
void idempotency_answer(struct db *db, const struct idempotency_key *key, int status,
                        const struct buf *answer);
/* Deletes those that are over, at most `limit`; gives how many. */
int idempotency_expire(struct db *db, int limit);

#endif
