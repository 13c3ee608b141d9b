/* link.h — links that are sent to somebody by mail: an invitation, another password, another mail
 * address.
 *
 * One is good once, until it expires.  Its token is 32 random bytes, kept as a hash, and stands
 * behind the '#' of the page's address: a browser sends that to no server and names it to no page
 * that is opened from there.
 */
#ifndef POSTBACKD_LINK_H
#define POSTBACKD_LINK_H

#include "base/buf.h"
#include "model/account.h"

enum link_kind { LINK_INVITATION = 1, LINK_PASSWORD = 2, LINK_EMAIL = 3 }; /* on disk */

enum {
    LINK_INVITATION_MS = 7 * 24 * 3600 * 1000,
    LINK_PASSWORD_MS = 3600 * 1000,
    LINK_EMAIL_MS = 3600 * 1000,
    LINK_AGAIN_MS = 5 * 60 * 1000, /* whoever forgot a password gets no second link before */
    INVITATIONS_MOST = 100,        /* of an account, those that have expired too */
    USERS_MOST = 1000,             /* of an account that invites them itself */
};

int64_t link_lasts_ms(enum link_kind kind);
const char *link_kind_name(enum link_kind kind); /* INVITATION PASSWORD EMAIL */
void link_random(char out[TOKEN_TEXT]);          /* "pbl_" and base64url */
void link_hash(unsigned char out[TOKEN_HASH_BYTES], const char *token);
/* The whole address; an origin of NULL, which is not known: without it. */
void link_address(struct buf *out, const char *origin, enum link_kind kind, const char *token);
/* What is sent: short, with the account's name.  `inviter` is of an invitation. */
void link_letter(struct buf *subject, struct buf *text, enum link_kind kind, const char *account,
                 const char *inviter, const char *address, int64_t expires_at);

#endif
