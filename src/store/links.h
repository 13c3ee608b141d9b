/* links.h — the links that are out (model/link.h), on disk.
 *
 * A row has the hash of a link's token, so a copy of the database opens none.  One that was used or
 * taken back is a row that is gone; an invitation that has expired stays for 30 days, to be sent
 * again. */
#ifndef POSTBACKD_LINKS_H
#define POSTBACKD_LINKS_H

#include "db/db.h"
#include "model/link.h"
#include "store/accounts.h"

#include <jansson.h>

struct link_row {
    enum link_kind kind;
    int64_t id, account, person; /* person 0: an invitation */
    char email[USER_EMAIL_TEXT];
    char name[4 * ACCOUNT_NAME_MAX + 1], inviter[USER_EMAIL_TEXT];
    enum role role;
    int64_t expires_at;
    char account_name[4 * ACCOUNT_NAME_MAX + 1];
};

/* Gives the id.  `hash` is that of its token; it expires as its kind says, which *link says then.
 */
int64_t link_add(struct db *db, struct link_row *link, const unsigned char hash[TOKEN_HASH_BYTES]);
/* False: unknown, expired, or its account or person is not active. */
bool link_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct link_row *out);
/* An invitation of the account's, expired or not. */
bool link_find_invitation(struct db *db, int64_t account, int64_t id, struct link_row *out);
/* Another token and time; the one before is worth nothing. */
void link_renew(struct db *db, struct link_row *link, const unsigned char hash[TOKEN_HASH_BYTES]);
/* False: it was gone.  Of two that take one, one gets true. */
bool link_take(struct db *db, int64_t id);
/* All of this kind of a person's. */
void links_remove(struct db *db, int64_t person, enum link_kind kind);
int64_t links_count(struct db *db, int64_t account, enum link_kind kind);
/* Whether a person was sent one after that. */
bool link_sent_since(struct db *db, int64_t person, enum link_kind kind, int64_t since_ms);
/* Whether the account has invited this address. */
bool link_invites(struct db *db, int64_t account, const char *email);
/* A letter to the link's address with what opens it; the row's account_name and inviter stand in
 * it.
 */
void link_mail(struct db *db, const struct link_row *link, const char *origin, const char *token);
json_t *link_list_invitations(struct db *db, int64_t account);

#endif
