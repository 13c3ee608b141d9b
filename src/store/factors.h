/* factors.h — users' second factors, on disk: the secret of their codes, and recovery codes.
 *
 * A user has none, one that waits for its first code, or one that is on.  Only one that is on asks
 * for codes.  Wrong ones are counted in the row, so over all servers: a code has six digits, and
 * who guesses knows the password already.
 */
#ifndef POSTBACKD_FACTORS_H
#define POSTBACKD_FACTORS_H

#include "db/db.h"
#include "model/totp.h"

#include <jansson.h>

enum { FACTOR_WRONG_MOST = 10, FACTOR_WRONG_MS = 3600 * 1000 };

enum factor_answer {
    FACTOR_RIGHT,
    FACTOR_WRONG,
    FACTOR_TOO_MANY, /* FACTOR_WRONG_MOST within FACTOR_WRONG_MS: not even looked at */
    FACTOR_NONE,     /* the user has none that this could be for */
};

/* Enrols: the secret waits for its first code, in place of another one that waited.  False: the
 * user has one that is on. */
bool factor_begin(struct db *db, int64_t user, const unsigned char secret[TOTP_SECRET_BYTES]);
/* The first code turns on the one that waits. */
enum factor_answer factor_confirm(struct db *db, int64_t user, const char *code);
/* Takes a code, or a recovery code, which then is gone, of the one that is on. */
enum factor_answer factor_take(struct db *db, int64_t user, const char *code);
/* False: there was none. */
bool factor_remove(struct db *db, int64_t user);
/* In place of those there are. */
void factor_set_recovery(struct db *db, int64_t user,
                         unsigned char hashes[RECOVERY_CODES][RECOVERY_HASH_BYTES]);

bool factor_is_on(struct db *db, int64_t user);
/* {"State":"NONE"|"WAITING"|"ON","Required":…,"RecoveryCodesLeft":…} */
json_t *factor_show(struct db *db, int64_t user);

/* Whether each user of the account must have one.  False: there is no such account. */
bool factor_require(struct db *db, int64_t account, bool required);
bool factor_is_required(struct db *db, int64_t account);

/* SQL that holds for a row u of person and a row a of account: the user may do nothing until a
 * second factor is on. */
#define SQL_FACTOR_MISSING                                                                         \
    "(a.factor_required = 1 AND NOT EXISTS (SELECT 1 FROM factor f WHERE f.person = u.id "         \
    "AND f.confirmed_at IS NOT NULL))"

#endif
