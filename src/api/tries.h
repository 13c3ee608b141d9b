/* tries.h — how often passwords may be tried, and by whom.
 *
 * Usually a try counts for its address and for the name it is meant for, and after ten a minute of
 * either there are no more.  A right credential is not locked out by what others do, though: a
 * browser that has signed in before has a count of its own, and so has a session whose user
 * changes the password.
 *
 * Such a browser keeps a cookie for half a year: who signed in, a fingerprint of the password then,
 * and when, sealed under the server's key; nothing of it is on disk.  It is worth a try and no
 * more, and another password makes it worth nothing.  Signing out does not take it away.
 */
#ifndef POSTBACKD_TRIES_H
#define POSTBACKD_TRIES_H

#include "api/api.h"
#include "server/limits.h"
#include "store/accounts.h"

enum {
    DEVICE_FINGERPRINT_BYTES = 16,
    DEVICE_DAYS = 180,
    DEVICE_COOKIE_TEXT = 256, /* the cookie's value with its NUL */
};

struct
try {
    char user[LIMITS_NAME_TEXT]; /* whom it is meant for, as limits.h counts it */
    char own[LIMITS_NAME_TEXT];  /* the browser's or session's own count; "": it has none */
    unsigned char fingerprint[DEVICE_FINGERPRINT_BYTES]; /* of the password that a browser knew */
    int64_t minute; /* of the count over all servers; 0: it does not count there */
};

/* Counts one before it is known to be wrong, or a hundred at once would all be the first.  Gives
 * how many there are now; 0: refused, and the call is answered. */
int try_begin(struct try *try, struct api *api, struct call *call, const char *email);
/* The same in a session, which its token names. */
int try_begin_in_session(struct try *try, struct api *api, struct call *call, const char *token);
void try_in_session(struct try *try, const char *token); /* names it, and counts nothing yet */
/* Where servers share the database a try counts there too, LIMITS_GUESSES_MAX a minute by the
 * clock for each name that it counts by, which the user's password decides as in try_check().  In a
 * job beside the writer's (store_aside()).  False: it is one too many; try_refuse(). */
bool tries_are_shared(const struct api *api);
bool try_draw(struct try *try, struct db *db, const char *address, const char *password_hash);
void try_refuse(struct call *call);
/* The user's password is known now.  One that a browser's cookie is not for counts like anybody's;
 * *tries as of try_begin(). */
void try_check(struct try *try, struct api *api, struct call *call, const char *password_hash,
               int *tries);
/* It was none: the password was right, or was not compared. */
void try_forgive(const struct try *try, struct api *api, const struct call *call);

/* Counts one of a kind of its own (a letter, of which each use has another) by a client's address
 * or an account: LIMITS_GUESSES_MAX a minute and server.  False: it is one too many, and answered.
 */
bool try_count(struct api *api, struct call *call, char kind, const void *bytes, size_t len);
bool try_count_client(struct api *api, struct call *call, char kind);
void try_uncount_client(struct api *api, struct call *call, char kind); /* it was right */

/* Gives the browser the cookie. */
void try_remember(struct api *api, struct call *call, const char *email, const char *password_hash);

#endif
