/* api.h — the API's resources: one file each, a table of routes each, one context for all.
 *
 * A handler checks the request (model), gives the store one job, and answers in its done().
 */
#ifndef POSTBACKD_API_H
#define POSTBACKD_API_H

#include "base/map.h"
#include "db/store.h"
#include "engine/engine.h"
#include "model/change.h"
#include "server/limits.h"
#include "server/server.h"

struct identities;
struct changes_desk;
struct passwords;

struct api {
    uv_loop_t *loop;
    struct store *store;
    struct engine *engine;
    struct membership *membership; /* NULL: the store is this server's own */
    struct limits *limits;
    struct identities *identities;        /* who holds which token: api/identities.h */
    struct allowances *allowances;        /* limits over all servers: api/allowances.h */
    struct figures *figures;              /* told to other servers: api/figures.h */
    struct map keys;                      /* calls under way: api/idempotency.h */
    struct outwards *outwards;            /* requests to others: api/outward.h */
    struct passwords *passwords;          /* being looked at: api/passwords.h */
    char *portal_ancestors;               /* origins that may frame the portal; NULL: none */
    char *origin;                         /* of the pages: "https://host"; NULL: not known */
    size_t events_waiting, bytes_waiting; /* taken in, not yet written: api/admission.h */
    bool catalog_changing;                /* an event type is being written */
    bool ready;                           /* for /readyz */
    struct changes_desk *changes;         /* calls that wait: api/changes.h */
    struct server *server;
    int64_t started_at;
};

/* Of a route: who calls it under either prefix, the operator too; and that its calls are counted.
 */
enum {
    PARTNERS = ACCOUNT_PARTNER | ACCOUNT_OPERATOR,
    BRANDS = ACCOUNT_BRAND | ACCOUNT_OPERATOR,
    COUNTED = true,
};

/* Each resource file gives its routes; api.c joins them for server_config. */
#define ROUTES(noun)                                                                               \
    extern const struct route noun##_routes[];                                                     \
    extern const size_t noun##_route_count
ROUTES(account);
ROUTES(action);
ROUTES(action_change);
ROUTES(action_update);
ROUTES(attachment);
ROUTES(catalog);
ROUTES(changes);
ROUTES(conversion);
ROUTES(counts);
ROUTES(erasure);
ROUTES(errand);
ROUTES(event);
ROUTES(event_list);
ROUTES(export);
ROUTES(import);
ROUTES(inquiry);
ROUTES(key_change);
ROUTES(link);
ROUTES(look);
ROUTES(maintenance);
ROUTES(node);
ROUTES(notification);
ROUTES(operator);
ROUTES(operator_status);
ROUTES(page);
ROUTES(people);
ROUTES(portal);
ROUTES(postback);
ROUTES(postback_change);
ROUTES(profile);
ROUTES(replay);
ROUTES(second_factor);
ROUTES(second_factor_admin);
ROUTES(series);
ROUTES(session);
ROUTES(sign_in_code);
ROUTES(status);
ROUTES(support);
ROUTES(terms);
ROUTES(track);
ROUTES(view);
#undef ROUTES

/* The joined table; the caller frees. */
struct route *api_routes(size_t *count);
/* server_config.enter: HTTP Basic, SID and token; or a session's cookie, and what goes with it. */
void api_enter(struct call *call, void *context);
/* For store_listen(), with the api as context: what calls have in memory of what is on disk. */
void api_hear(void *context, const struct change *change);
/* False: answered 503, as this server's lease is over (engine/membership.h). */
bool api_has_lease(const struct api *api, struct call *call);
/* Work is taken: it is started and does not stop, has its lease, and the store takes writes. */
bool api_is_ready(const struct api *api);
/* WWW-Authenticate for a 401, but not to a page: the browser would ask for a password itself. */
void api_challenge(struct call *call);
bool api_is_secure(const struct api *api); /* the pages' address has https */

/* Where the caller's resources stand: "/Mediapartners/<SID>", or "/Advertisers/<SID>" when it was
 * called so. */
enum { API_BASE_TEXT = 64 };
void api_base(const struct call *call, char out[API_BASE_TEXT]);

/* A job of a call: run() on a store thread, then finish() on the loop thread, which answers.
 * When the job failed it answers for the handler from job.error and problems (404 when run() gave
 * neither), and finish is not called.
 *
 * A write's run() may come again (store.h).  Problems that it added and what it showed are dropped
 * before; the rest of what it finds is for it to set, never to add to. */
struct api_job {
    struct job job;
    struct api *api;
    struct call *call;
    struct problems problems;
    size_t given_problems; /* of the request, before run() */
    json_t *shown;         /* what run() found for the answer, or NULL; freed with the job */
    bool (*run)(struct api_job *job, struct db *db);
    void (*finish)(struct api_job *job);
    void (*clear)(struct api_job *job); /* frees what the job owns; NULL: nothing */
};
/* A zeroed job of `size` bytes, that starts with a struct api_job. */
void *api_job_new(size_t size, struct call *call, struct api *api,
                  bool (*run)(struct api_job *, struct db *), void (*finish)(struct api_job *),
                  void (*clear)(struct api_job *));
void api_job_show(struct api_job *job); /* a finish(): 200 with job->shown */
void api_write(struct api_job *job);
void api_read(struct api_job *job);        /* not run for a client that has left */
void api_write_aside(struct api_job *job); /* store_aside() */
void api_look_up(struct api_job *job);     /* store_look_up(): before it is known who calls */
/* Whose turn a job takes that is of no known account: a number made of an address, a token's hash,
 * a SID.  Below 0. */
int64_t api_stranger(const void *bytes, size_t len);
void api_job_drop(struct api_job *job); /* answered without having been given to the store */
/* Refuses with the problems when there are any (400) and frees the job; false then. */
bool api_job_valid(struct api_job *job);

/* Paging: Page and PageSize of the query (problems added), and the attributes of the answer. */
struct page {
    int64_t number, size;
};
enum { PAGE_SIZE_DEFAULT = 1000, PAGE_SIZE_MOST = 20000 };
void page_read(const struct call *call, struct page *page, struct problems *problems);
/* A span of time from two query parameters, both inclusive: from <= x < until; DATE_NONE: open. */
void span_read(const struct call *call, const char *start, const char *end, int64_t *from,
               int64_t *until, struct problems *problems);
/* The request's own address without these (NULL-ended) query parameters: for another page's. */
void page_uri(struct buf *uri, const struct call *call, const char *const *without);
/* {"@page":…,…,"<name>":[]}, for the `count` rows of a page that is sent behind it (rows.h). */
json_t *page_answer(const struct call *call, const struct page *page, int64_t total, int64_t count,
                    const char *name);

#endif
