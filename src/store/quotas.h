/* quotas.h — how much of an account's may wait to be delivered: postbacks, and their bytes.
 *
 * What waits is kept until it is delivered, so an account whose receivers are dead would fill the
 * disk for all.  Past its quota no further events are taken for it; past a reserve, a quarter more,
 * no inquiry's step either, conversion or resend: those are refused with words, and nothing that
 * was taken is ever dropped.  What the engine writes by itself is never refused.
 *
 * A postback's bytes are those of its event's data, and QUOTA_POSTBACK_BYTES for itself; an event
 * for two notifications counts twice.  What still fans out (fan_outs.h) counts once it is written.
 */
#ifndef POSTBACKD_QUOTAS_H
#define POSTBACKD_QUOTAS_H

#include "base/list.h"
#include "db/nouns.h"
#include "db/store.h"
#include "model/account.h"

enum {
    QUOTA_POSTBACK_BYTES = 128,
    QUOTA_NEAR_PERCENT = 80,     /* the account and the operator are told … */
    QUOTA_FAR_PERCENT = 50,      /* … once, until less than that waits */
    QUOTA_RESERVE_PERCENT = 125, /* for what people do by hand */
};

struct quota_limits { /* of an account's postbacks that wait; 0: none */
    int64_t waiting, bytes;
};

struct quota_use {
    int64_t account, waiting, bytes;
    bool told; /* an episode is under way */
};
/* Of what may wait, in hundredths: the larger of both; 0: there is no limit. */
int64_t quota_percent(const struct quota_limits *limits, const struct quota_use *use);

/* ---- in a write job ---- */

void quotas_set(struct db *db, const struct quota_limits *limits); /* of the writer's connection */
/* Postbacks of the account were written, which wait. */
void quota_add(struct db *db, int64_t account, int64_t postbacks, int64_t bytes);
/* Whether the account has room, for what is sent (100 percent) or done by hand
 * (QUOTA_RESERVE_PERCENT).  False: job->error, which names the account. */
bool quota_admits(struct job *job, struct db *db, int64_t account, int percent);
int64_t quota_event_bytes(struct db *db, int64_t event); /* of one postback of it */

extern const struct db_memory quotas_memory;

/* ---- episodes ---- */

/* The accounts that have to be told, or no longer to be told of: at most `most`. */
size_t quotas_changed(struct db *db, const struct quota_limits *limits, struct quota_use *out,
                      size_t most);
/* Begins an account's episode, with a notice to it and to the operator, or ends it.  True: it
 * began. */
bool quota_tell(struct db *db, const struct quota_limits *limits, int64_t account);
/* How many accounts are near their quota. */
int64_t quotas_bytes(struct db *db); /* of all accounts, that wait */
int64_t quotas_near(struct db *db, const struct quota_limits *limits);

/* ---- for who looks on ---- */

enum { QUOTA_LARGEST = 10 };
struct quota_large {
    char sid[SID_TEXT];
    int64_t bytes; /* that wait */
};
/* The accounts with the most bytes that wait, the largest first; the count. */
size_t quotas_largest(struct db *db, struct quota_large out[QUOTA_LARGEST]);

#endif
