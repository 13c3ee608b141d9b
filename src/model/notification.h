/* notification.h — an account's event notification: which events, to which URL, in what shape.
 *
 * Settings come in as JSON (or form fields), are checked as a whole, and are kept by revision.
 * A compiled notification is immutable and shared by reference on the loop thread: the courier
 * and the engine hold one each.
 */
#ifndef POSTBACKD_NOTIFICATION_H
#define POSTBACKD_NOTIFICATION_H

#include "base/problem.h"
#include "model/catalog.h"
#include "model/opened.h"
#include "model/template.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum method { METHOD_GET, METHOD_POST, METHOD_PUT };
enum body_format { BODY_JSON, BODY_XML, BODY_FORM, BODY_TEXT };
enum notification_state { NOTIFICATION_ACTIVE, NOTIFICATION_PAUSED, NOTIFICATION_HELD };

enum {
    NOTIFICATION_TYPES_MAX = 64,
    NOTIFICATION_POINTS_MAX = 100,
    NOTIFICATION_HEADERS_MAX = 20,
    NOTIFICATION_URL_MAX = 2000, /* bytes, as written */
    NOTIFICATION_RULE_MAX = 200, /* bytes of Success and Error Response */
    NOTIFICATION_NAME_MAX = 200, /* bytes */
    NOTIFICATION_DELAY_MOST_S = 86400,
    NOTIFICATION_REQUESTS_MOST = 100000, /* a second */
    NOTIFICATION_CONCURRENT_MOST = 256,
    NOTIFICATION_HEADER_NAME_MAX = 100,   /* bytes */
    NOTIFICATION_HEADER_VALUE_MAX = 4096, /* bytes */
    SECRET_BYTES = 32,
};

struct custom_header {
    char *name, *value; /* checked: RFC 9110 token; visible ASCII, space and tab */
};

struct tls_identity;
struct buf;
struct notification;

struct signing_secret {
    unsigned char bytes[64];
    size_t len; /* 0: none */
};

/* What an account sets.  Strings are owned, "" when not set. */
struct notification_settings {
    char *name; /* the account's own label */
    const struct category *category;
    char *url;
    enum method method;
    enum body_format format;
    char *body;                                              /* template; "": every data point */
    const struct data_point *query[NOTIFICATION_POINTS_MAX]; /* ticked: added to the query string */
    size_t query_count;
    const struct event_type *types[NOTIFICATION_TYPES_MAX];
    size_t type_count;
    int minimum_delay_s;    /* 0 … 86,400 */
    int maximum_requests;   /* a second; 0: no limit */
    int maximum_concurrent; /* 0: the window's own */
    char *success_response, *error_response;
    bool accept_any_2xx;
    bool ordered;
};

struct notification {
    int references;
    int64_t id, account;
    char *account_sid; /* owned, as held_reason; NULL until the caller sets them */
    int revision;
    enum notification_state state;
    char *held_reason; /* "" unless held */
    int64_t created_at, updated_at;
    struct notification_settings settings;
    struct custom_header headers[NOTIFICATION_HEADERS_MAX];
    size_t header_count;
    char *headers_for; /* the authority that the custom headers were set for; owned; NULL: none */
    struct opened opened; /* data points on request that its revision sees; set when loaded */
    struct signing_secret secret, old_secret; /* the old one signs too until old_secret_until */
    int64_t old_secret_until;
    /* What is kept, owned; NULL: none of its own.  It is used through notification_identity(). */
    struct tls_identity *identity; /* model/tls_identity.h */
    char *identity_for;            /* as headers_for */

    struct url_parts { /* of settings.url; scheme, host and port hold no tokens */
        bool https;
        char *host; /* lower case, without brackets for IPv6 */
        int port;
    } to;
    char *authority; /* url_authority() of `to`, which is what credentials are set for; owned */
    struct template *path; /* path and query */
    struct template *body; /* NULL: the default body, or none for GET */
    bool constant;         /* path and body hold no tokens: a request needs no data points */
};

/* Reads settings over what *settings holds already (all zeroes for a new one: defaults are
 * filled in; Method has none and is required, as are Category and Url).  Values are JSON strings,
 * numbers and booleans alike, lists also comma-separated text; what is wrong keeps its old value.
 * Unknown members, wrong types and wrong values are all named; the members that a client only
 * reads (Id, Uri, State, …) are ignored, so that an answer can be sent back changed.  CustomHeaders
 * and SigningSecret are the operator's: take them out of `from` where the operator sets them. */
void notification_settings_read(struct notification_settings *settings, const json_t *from,
                                struct problems *problems);
/* Whether a given Name is one by name.h; `before` is the one it has (NULL: none), which is taken.
 */
void notification_name_check(const struct notification_settings *settings, const char *before,
                             struct problems *problems);
json_t *notification_settings_write(const struct notification_settings *settings);
void notification_settings_free(struct notification_settings *settings); /* back to all zeroes */

/* Takes the settings (left all zeroes) and compiles them.  NULL with problems when they are wrong,
 * and also when *problems was not empty before, so that reading and compiling give one list.
 * One reference, the caller's; id, account, headers and secrets are the caller's to set. */
struct notification *notification_compile(struct notification_settings *settings,
                                          struct problems *problems);
/* The same of settings that were right when they were saved, without compiling them: to be changed,
 * never to be sent with (path and body are NULL). */
struct notification *notification_keep(struct notification_settings *settings,
                                       struct problems *problems);
struct notification *notification_ref(struct notification *notification);
void notification_unref(struct notification *notification); /* NULL is allowed; wipes secrets */

/* A problem for each data point on request that it names and that is not open. */
void notification_refuse_closed(const struct notification *notification,
                                const struct opened *opened, struct problems *problems);
/* A problem for a template with too many functions (template_refuse_heavy()). */
void notification_refuse_heavy(const struct notification *notification, struct problems *problems);
/* Whether its URL, query or body template names this data point. */
bool notification_names(const struct notification *notification, const char *point);

bool notification_wants(const struct notification *notification, const struct event_type *type);
/* Its postbacks never go straight to a lane: they wait for a time, or for each other.  Where
 * several servers share the work (shared) also those whose number is limited, which one of them
 * counts. */
bool notification_by_disk(const struct notification_settings *settings, bool shared);
/* … and it has a promise that holds over all of them. */
bool notification_is_strict(const struct notification_settings *settings);

/* Custom headers, the operator's: [{"Name":…,"Value":…}] in place of those it has.  An entry
 * without a Value, or with the "(hidden)" that is shown for one, keeps the value it has, unless
 * that waits (notification_headers_wait()).  The new list is for the URL's authority.  Refused
 * (and nothing is changed): names that postbackd or HTTP itself sets (Host, Content-Length,
 * Connection, webhook-*, …), bytes that end a line. */
bool notification_headers_read(struct notification *notification, const json_t *from,
                               struct problems *problems);
void notification_headers_free(struct notification *notification); /* wipes their values */
void notification_headers_wipe(struct custom_header *headers, size_t count);

/* notification_credentials.c: custom headers and the TLS identity belong to the scheme, host and
 * port (the authority) they were set for.  While the URL leads to another one they are kept and
 * not sent, until the operator agrees or the URL leads back. */
bool notification_headers_wait(const struct notification *notification);
bool notification_identity_waits(const struct notification *notification);
/* The one to connect with, the notification's own; NULL: none, or it waits. */
const struct tls_identity *notification_identity(const struct notification *notification);
/* They are for this authority (NULL: for the one that the URL leads to now). */
void notification_headers_bind(struct notification *notification, const char *authority);
void notification_identity_bind(struct notification *notification, const char *authority);
/* Takes headers and identity, with what they were set for, out of `from`. */
void notification_credentials_move(struct notification *to, struct notification *from);
/* For answers: Destination, CustomHeadersFor, TlsFor ("" where there are none) and
 * CredentialsWait. */
void notification_credentials_show(const struct notification *notification, json_t *shown);

const char *method_name(enum method method);
const char *body_format_name(enum body_format format);              /* JSON XML FORM TEXT */
const char *notification_state_name(enum notification_state state); /* ACTIVE PAUSED HELD */

/* For people: its name in quotes and where it leads, or that alone. */
void notification_title(struct buf *out, const struct notification *notification);

/* 0 … 255: the low byte of its id, mixed (SplitMix64's finalizer), on every engine.  Written with
 * each postback, and read by nothing until several nodes share one store: DESIGN §5. */
int notification_bucket(int64_t id);

#endif
