/* guests.h — who is let into an account for a while by the operator: one who looks into it, or a
 * page of another product (a portal session).  Each has a token of its own, kept as a hash.
 *
 * A guest ends with its time, and with the user or the token that let it in.
 */
#ifndef POSTBACKD_GUESTS_H
#define POSTBACKD_GUESTS_H

#include "db/db.h"
#include "model/account.h"

#include <jansson.h>

enum {
    GUEST_MS = 3600 * 1000,        /* from when it has its token */
    GUEST_CODE_MS = 5 * 60 * 1000, /* so long a one-time address is good */
    GUESTS_MOST = 1000,            /* of an account at once, of a kind */
};

struct guest {
    enum caller_only kind; /* CALLER_LOOKS or CALLER_PORTAL */
    int64_t account;
    enum scope scope;
    const struct caller *by; /* who lets it in */
    const char *name;        /* as whom the account's audit log knows it */
    const char *brand;       /* JSON of a portal's looks; "" */
};

/* Gives the id; 0: the account has GUESTS_MOST of them.  The hash is that of the token, or, of a
 * portal, of the code in its one-time address.  Also removes those that have ended. */
int64_t guest_add(struct db *db, const struct guest *guest,
                  const unsigned char hash[TOKEN_HASH_BYTES]);
/* The code's hash becomes the token's: once, within GUEST_CODE_MS.  Gives the account, and *brand
 * (the caller frees); 0: there is none. */
int64_t guest_exchange(struct db *db, const unsigned char code[TOKEN_HASH_BYTES],
                       const unsigned char token[TOKEN_HASH_BYTES], char **brand,
                       enum scope *scope);
/* Who calls with this token; false: nobody, or no longer. */
bool guest_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct caller *out);
/* False: the account has none of this id and kind. */
bool guest_end(struct db *db, int64_t account, enum caller_only kind, int64_t id);

#endif
