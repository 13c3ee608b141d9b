/* account.h — who uses the server: partners, brands, the operator; their users and tokens. */
#ifndef POSTBACKD_ACCOUNT_H
#define POSTBACKD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

enum account_kind { ACCOUNT_PARTNER = 1, ACCOUNT_BRAND = 2, ACCOUNT_OPERATOR = 4 };
enum role { ROLE_USER = 1, ROLE_READ_ONLY = 2, ROLE_ADMIN = 3 };
/* What a token may do: SCOPE_API everything of its account but who acts for it, SCOPE_READ only
 * reading, SCOPE_EVENTS only POST /Events.  SCOPE_ADMIN, users and tokens, is no token's but the
 * operator's with SCOPE_API: a session of an ADMIN has it beside SCOPE_API. */
enum scope { SCOPE_API = 1, SCOPE_READ = 2, SCOPE_EVENTS = 4, SCOPE_ADMIN = 8 };

enum { SID_TEXT = 32, ACCOUNT_NAME_MAX = 200 };

struct account {
    int64_t id;
    char sid[SID_TEXT];
    enum account_kind kind;
    char *name;
    char *email; /* for notices; "" none */
    int64_t created_at;
    bool active;
};

/* What a caller is confined to (api/confines.h), beside its scope. */
enum caller_only {
    CALLER_FREE,
    CALLER_ENROLS, /* a user who must have a second factor first, and has none */
    CALLER_LOOKS,  /* the operator, looking into the account: reads */
    CALLER_PORTAL, /* another product's page: event notifications and postbacks */
};

/* Who makes a call, once identified. */
struct caller {
    int64_t account;
    char sid[SID_TEXT];
    enum account_kind kind;
    unsigned scope; /* OR of enum scope */
    int64_t token;  /* its row, for the audit log; 0: a user's session */
    int64_t user;   /* 0: a token */
    char name[80];  /* for comments and the audit log */
    enum caller_only only;
};

const char *account_kind_name(enum account_kind kind); /* PARTNER BRAND OPERATOR */
bool account_kind_named(const char *name, enum account_kind *kind);
const char *scope_name(enum scope scope);              /* API READ EVENTS ADMIN */
bool scope_named(const char *name, enum scope *scope); /* a token's: not ADMIN */
const char *role_name(enum role role);                 /* ADMIN USER READ_ONLY */
bool role_named(const char *name, enum role *role);
unsigned role_scope(enum role role); /* of its sessions */

/* What is wrong with the name of a time zone as the IANA has them, or with the tag of a language
 * (BCP 47), by their form, as the end of a sentence; NULL: nothing.  "" is none, and right. */
const char *time_zone_flaw(const char *name);
const char *locale_flaw(const char *tag);

/* "PA", "BR" or "OP" and 22 letters and digits. */
void account_sid_random(char out[SID_TEXT], enum account_kind kind);

/* A token is 32 random bytes, shown once as "pbt_" and base64url; kept as a keyless hash. */
enum { TOKEN_TEXT = 64, TOKEN_HASH_BYTES = 32 };
void token_random(char out[TOKEN_TEXT]);
void token_hash(unsigned char out[TOKEN_HASH_BYTES], const char *token);

/* A session's token is like one, "pbs_…", in a browser's cookie.  Its hash is of another kind, so
 * that neither passes for the other; what a page sends back with each change (CSRF) is a third. */
void session_random(char out[TOKEN_TEXT]);
void session_hash(unsigned char out[TOKEN_HASH_BYTES], const char *token);
void session_csrf(char out[TOKEN_TEXT], const char *token);

/* A password: so many characters.  NULL: it is one; otherwise what is wrong with it. */
enum { PASSWORD_LEAST = 12, PASSWORD_MOST = 200 };
const char *password_flaw(const char *password);

#endif
