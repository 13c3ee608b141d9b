/* sessions.h — the sessions of users, on disk: they survive a restart and end at once.
 *
 * One ends by itself SESSION_IDLE_MS after its last use, and SESSION_MOST_MS after the sign-in.
 */
#ifndef POSTBACKD_SESSIONS_H
#define POSTBACKD_SESSIONS_H

#include "db/db.h"
#include "model/account.h"

#include <jansson.h>

/* A person's enum role, in SQL where no other table has these columns. */
#define USER_ROLE "CASE WHEN admin = 1 THEN 3 ELSE role END"

enum {
    SESSION_IDLE_MS = 12 * 3600 * 1000,
    SESSION_MOST_MS = 7 * 24 * 3600 * 1000,
    SESSION_TOUCH_MS = 5 * 60 * 1000, /* its use is written down no more often */
    SESSIONS_A_USER = 20,             /* a further one ends the oldest */
    SESSION_AGENT_TEXT = 201,         /* User-Agent, cut */
    SESSIONS_SHOWN = 1000,
};

/* Also removes what has ended by itself. */
void session_add(struct db *db, int64_t user, const unsigned char hash[TOKEN_HASH_BYTES],
                 const char *address, const char *agent);
/* Who calls in this session: false when it is unknown, has ended, or its user or account is not
 * active.  *stale is its id when its use is to be written down (session_touch()), else 0. */
bool session_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct caller *out,
                  int64_t *stale);
void session_touch(struct db *db, int64_t session);
void session_end(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES]);
/* One of the account's, or of the user's (user 0: of any); false: there is none. */
bool session_end_one(struct db *db, int64_t account, int64_t user, int64_t session);
/* Those that go on, of the account or of one user of it: the API's objects, the latest use first.
 * `own`: the hash of the session that asks, which is marked. */
json_t *session_list(struct db *db, int64_t account, int64_t user,
                     const unsigned char own[TOKEN_HASH_BYTES]);
/* All sessions of a user but this one (NULL: all). */
void sessions_end(struct db *db, int64_t user, const unsigned char *but);
/* {"User":{…},"Account":{…}} of a user; NULL: no such user. */
json_t *session_show(struct db *db, int64_t user);

#endif
