/* accounts.h — accounts, their users and tokens, on disk. */
#ifndef POSTBACKD_ACCOUNTS_H
#define POSTBACKD_ACCOUNTS_H

#include "db/db.h"
#include "model/account.h"

#include <jansson.h>

/* Gives the new id; the sid is chosen here. */
int64_t account_add(struct db *db, struct account *account);
bool account_find(struct db *db, int64_t id, struct account *out); /* out owns its strings */
bool account_find_sid(struct db *db, const char *sid, struct account *out);
void account_set_active(struct db *db, int64_t id, bool active);
/* Writes name, email and active of the account with this id.  False: there is none. */
bool account_change(struct db *db, const struct account *account);
json_t *account_show(const struct account *account); /* the API's object */
void account_clear(struct account *account);         /* frees its strings */
/* An array of the API's objects, by id, after `after`, at most `limit`; kind 0: all.  `search`,
 * unless NULL or empty, is found in the name in any case, or begins the sid. */
json_t *account_list(struct db *db, int kind, const char *search, int64_t after, int limit);
int64_t account_operator(struct db *db); /* the operator's id; 0: none yet */
/* Before the operator's account is added where none was found: of two nodes that begin at once one
 * goes on, and the other one's transaction is run again and finds it. */
void account_operator_claim(struct db *db);

/* expires_at DATE_NONE: never.  Of more than TOKENS_KEPT rows the oldest that are revoked go. */
enum { TOKENS_MOST = 100 /* made by an account itself, that work */, TOKENS_KEPT = 1000 };
enum { TOKEN_TOUCH_MS = 3600 * 1000 }; /* its use is written down no more often */
int64_t token_add(struct db *db, int64_t account, enum scope scope, const char *label,
                  int64_t expires_at, const unsigned char hash[TOKEN_HASH_BYTES]);
int64_t tokens_count(struct db *db, int64_t account); /* that work */
bool token_revoke(struct db *db, int64_t account, int64_t token);
json_t *token_list(struct db *db, int64_t account); /* never the hash */
/* Who holds this token; false when unknown, revoked, expired, or its account is inactive.  *stale
 * is its id when its use is to be written down (token_touch()), else 0. */
bool token_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct caller *out,
                int64_t *stale);
void token_touch(struct db *db, int64_t token);

/* `password_hash` is argon2id, made by the caller off the loop thread.  0 when the email is taken.
 */
int64_t user_add(struct db *db, int64_t account, const char *email, const char *name,
                 enum role role, const char *password_hash);
bool user_email_taken(struct db *db, const char *email);
int64_t users_count(struct db *db, int64_t account);
json_t *user_list(struct db *db, int64_t account);

/* What a change of a user gives; NULL and 0 stay as they are. */
struct user_change {
    const char *name;
    enum role role;
    bool active_given, active;
    const char *password_hash, *email, *time_zone, *locale;
};
/* False: the account has no such user.  The mail address is nobody else's, as the caller saw. */
bool user_change(struct db *db, int64_t account, int64_t user, const struct user_change *change);
/* Whether the account would be left without an ADMIN who may sign in, though it has one now.  Locks
 * the account: of two who go at once the second sees what the first did. */
bool user_is_last_admin(struct db *db, int64_t account, int64_t user,
                        const struct user_change *change);

/* Whether a user may sign in, and with what. */
enum { USER_EMAIL_TEXT = 256, PASSWORD_HASH_TEXT = 128 };
struct user_key {
    struct caller caller; /* user and account; as a session of this user would call */
    char email[USER_EMAIL_TEXT];
    char password_hash[PASSWORD_HASH_TEXT];
};
/* False: there is none, or the user or the account is not active. */
bool user_find_email(struct db *db, const char *email, struct user_key *out);
bool user_find_key(struct db *db, int64_t user, struct user_key *out);

/* A row of the audit log; `detail` is a JSON object, which is stolen, or NULL. */
void audit_add(struct db *db, const struct caller *caller, const char *address, const char *action,
               const char *object, json_t *detail);
/* Newest first, ids under `before` (0: from the newest); account 0: everybody's. */
json_t *audit_list(struct db *db, int64_t account, int64_t before, int limit);

int64_t notice_add(struct db *db, int64_t account, const char *kind, const char *text);
/* `page`: the address of the page that it is about, such as "/notifications/12". */
int64_t notice_add_about(struct db *db, int64_t account, const char *kind, const char *text,
                         const char *page);
/* Unless one of this kind and text is unread. */
void notice_add_once(struct db *db, int64_t account, const char *kind, const char *text);
/* Newest first, ids under `before` (0: from the newest). */
json_t *notice_list(struct db *db, int64_t account, int64_t before, int limit);
bool notice_mark_read(struct db *db, int64_t account, int64_t notice);
int64_t notice_unread(struct db *db, int64_t account); /* how many */
void notice_mark_all_read(struct db *db, int64_t account);

#endif
