/* idempotency.c — a call with a key is looked up, made, and its answer kept.
 *
 * api->keys has the calls that are under way, by the hash of their key, from before the look-up
 * until the answer is on disk: so no second call with the key slips in between.
 *
 * The rule: a header that promises something is kept or refused, never passed over.
 */
#include "api/idempotency.h"

#include "base/fail.h"
#include "store/idempotency.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define PARTNER  "/Mediapartners/{SID}"
#define BRAND    "/Advertisers/{SID}"
#define OPERATOR "/Operator"

/* POSTs that make something, each by one job that writes. */
static const char *const taken[] = {
    PARTNER "/ActionInquiries",
    PARTNER "/ActionInquiries/{Id}/Close",
    PARTNER "/ActionInquiries/{Id}/Comments",
    PARTNER "/ActionInquiries/{Id}/Reopen",
    BRAND "/ActionInquiries/{Id}/Comments",
    PARTNER "/Exports",
    BRAND "/Exports",
    PARTNER "/EventNotifications",
    BRAND "/EventNotifications",
    PARTNER "/EventNotifications/{Id}/SigningSecret",
    BRAND "/EventNotifications/{Id}/SigningSecret",
    PARTNER "/EventNotifications/{Id}/Replays",
    BRAND "/EventNotifications/{Id}/Replays",
    PARTNER "/Postbacks/{Id}/Resend",
    BRAND "/Postbacks/{Id}/Resend",
    PARTNER "/Postbacks/Change",
    BRAND "/Postbacks/Change",
    PARTNER "/SupportRequests",
    BRAND "/SupportRequests",
    PARTNER "/SupportRequests/{Id}/Messages",
    BRAND "/SupportRequests/{Id}/Messages",
    PARTNER "/Views",
    BRAND "/Views",
    BRAND "/ApprovalRules",
    OPERATOR "/Accounts",
    OPERATOR "/Accounts/{Account}/Tokens",
    OPERATOR "/Accounts/{Account}/Users",
    OPERATOR "/Campaigns",
    OPERATOR "/Campaigns/{Id}/Trackers",
    OPERATOR "/Campaigns/{Id}/Members",
    OPERATOR "/Campaigns/{Id}/TrackingTokens",
    OPERATOR "/EventTypes",
    OPERATOR "/SupportRequests/{Id}/Messages",
    OPERATOR "/Maintenance",
};

/* What is not kept on a change; the first one is where the route says so. */
static const struct {
    const char *name;
    int status;
    const char *why;
} refused[] = {
    { "If-Match", 412, "what is here has no versions to compare with" },
    { "If-None-Match", 412, "what is here has no versions to compare with" },
    { "If-Unmodified-Since", 412, "what is here is not compared by its date" },
    { "Content-Range", 400, "a body is taken whole" },
    { "X-HTTP-Method-Override", 400, "the method is the request's own" },
    { "X-HTTP-Method", 400, "the method is the request's own" },
    { "X-Method-Override", 400, "the method is the request's own" },
};

struct keyed {
    struct api *api;
    struct idempotency_key key;
    bool written; /* what the call makes, and the key with it */
    int status;   /* of the answer, until it is on disk; 0: there is none yet */
    struct buf answer;
};

static void keyed_free(struct keyed *keyed)
{
    buf_wipe(&keyed->answer);
    map_remove_text(&keyed->api->keys, (const char *)keyed->key.name, sizeof(keyed->key.name));
    free(keyed);
}

/* ---- keeping the answer ---- */

struct keep_job {
    struct job job;
    struct keyed *keyed;
};

static bool keep_run(struct job *job, struct db *db)
{
    const struct keep_job *keep = (struct keep_job *)job;
    const struct keyed *keyed = keep->keyed;
    idempotency_answer(db, &keyed->key, keyed->status, &keyed->answer);
    return true;
}

static void keep_done(struct job *job, bool ok)
{
    struct keep_job *keep = (struct keep_job *)job;
    (void)ok; /* a repetition is told that the answer was not kept */
    keyed_free(keep->keyed);
    free(keep);
}

static void answered(struct call *call, int status, const char *content, size_t len)
{
    struct keyed *keyed = call->keyed;
    call->keyed = NULL;
    call->answered = NULL;
    if (!keyed->written || status >= 300 || len > IDEMPOTENCY_ANSWER_MOST) {
        keyed_free(keyed);
        return;
    }
    struct keep_job *keep = must_alloc(sizeof(*keep));
    keep->job.run = keep_run;
    keep->job.done = keep_done;
    keep->job.account = keyed->key.account;
    keep->keyed = keyed;
    keyed->status = status;
    buf_add(&keyed->answer, content, len);
    store_write(keyed->api->store, &keep->job);
}

bool idempotency_written(struct call *call, struct db *db, struct error *error)
{
    struct keyed *keyed = call->keyed;
    if (keyed == NULL)
        return true;
    keyed->written = idempotency_add(db, &keyed->key);
    if (!keyed->written)
        error_set(error, ERROR_TOO_MANY,
                  "The account has used %d Idempotency-Keys within a day, which is the most.",
                  IDEMPOTENCY_MOST);
    return keyed->written;
}

/* ---- looking it up ---- */

struct look {
    struct api_job api;
    struct idempotency_key key;
    struct idempotency_kept kept;
    bool found;
};

static void look_clear(struct api_job *job)
{
    buf_wipe(&((struct look *)job)->kept.answer);
}

static bool look_run(struct api_job *job, struct db *db)
{
    struct look *look = (struct look *)job;
    look->found = idempotency_find(db, &look->key, &look->kept);
    return true;
}

static void refuse_other(struct call *call)
{
    call_refuse(call, 422, NULL,
                "This Idempotency-Key was used for another request to this address; take a new "
                "one.");
}

static void give_again(struct call *call, int status, const struct buf *answer)
{
    call_add_header(call, "Idempotency-Replayed", "true");
    call_text_answer(call, status, "application/json", buf_text(answer), answer->len);
}

static void look_finish(struct api_job *job)
{
    const struct look *look = (const struct look *)job;
    struct call *call = job->call;
    if (!look->found)
        call->route->handle(call, job->api);
    else if (!look->kept.same)
        refuse_other(call);
    else if (look->kept.status != 0)
        give_again(call, look->kept.status, &look->kept.answer);
    else
        call_refuse(call, 409, NULL,
                    "The request with this Idempotency-Key was carried out, but its answer was not "
                    "kept; look for what it made.");
}

/* One with the key is under way, or its answer is not on disk yet. */
static void meet(const struct keyed *keyed, const struct idempotency_key *key, struct call *call)
{
    if (memcmp(keyed->key.request, key->request, sizeof(key->request)) != 0) {
        refuse_other(call);
    } else if (keyed->status != 0) {
        give_again(call, keyed->status, &keyed->answer);
    } else {
        call_add_header(call, "Retry-After", "1");
        call_refuse(call, 409, NULL,
                    "A request with this Idempotency-Key is under way; ask again for its answer.");
    }
}

static void hash_add(crypto_generichash_state *hash, const void *bytes, size_t len)
{
    crypto_generichash_update(hash, (const unsigned char *)&len, sizeof(len));
    crypto_generichash_update(hash, bytes, len);
}

static void key_make(struct idempotency_key *key, const struct call *call, const char *given)
{
    crypto_generichash_state hash;
    const char *type = call_header(call, "Content-Type");
    key->account = call->caller.account;
    crypto_generichash_init(&hash, NULL, 0, sizeof(key->name));
    hash_add(&hash, &key->account, sizeof(key->account));
    hash_add(&hash, call->path, strlen(call->path));
    hash_add(&hash, given, strlen(given));
    crypto_generichash_final(&hash, key->name, sizeof(key->name));
    crypto_generichash_init(&hash, NULL, 0, sizeof(key->request));
    hash_add(&hash, call->target, strlen(call->target));
    hash_add(&hash, type != NULL ? type : "", type != NULL ? strlen(type) : 0);
    hash_add(&hash, buf_text(&call->body), call->body.len);
    crypto_generichash_final(&hash, key->request, sizeof(key->request));
}

static bool is_key(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '!' || text[i] > '~')
            return false;
    }
    return len > 0 && len <= IDEMPOTENCY_KEY_MAX;
}

static void look_up(struct api *api, struct call *call, const char *given)
{
    struct look *look = api_job_new(sizeof(*look), call, api, look_run, look_finish, look_clear);
    key_make(&look->key, call, given);
    const char *name = (const char *)look->key.name;
    const struct keyed *other = map_get_text(&api->keys, name, sizeof(look->key.name));
    if (other != NULL) {
        meet(other, &look->key, call);
        api_job_drop(&look->api);
        return;
    }
    struct keyed *keyed = must_alloc(sizeof(*keyed));
    keyed->api = api;
    keyed->key = look->key;
    map_put_text(&api->keys, (const char *)keyed->key.name, sizeof(keyed->key.name), keyed);
    call->keyed = keyed;
    call->answered = answered;
    api_look_up(&look->api);
}

/* ---- what comes in ---- */

static bool is_taken(const struct route *route)
{
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (strcmp(route->pattern, taken[i]) == 0)
            return strcmp(route->method, "POST") == 0;
    }
    return false;
}

/* False: answered. */
static bool promises_are_kept(struct call *call)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (call_header(call, refused[i].name) == NULL || (i == 0 && call->route->revised))
            continue;
        call_refuse(call, refused[i].status, NULL,
                    "%s is not taken here: %s. Nothing was done; send the request without it.",
                    refused[i].name, refused[i].why);
        return false;
    }
    return true;
}

void idempotency_handle(struct call *call, void *context)
{
    const char *key = call_header(call, "Idempotency-Key");
    bool reads = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    if (reads) {
        call->route->handle(call, context);
        return;
    }
    if (!promises_are_kept(call))
        return;
    if (key == NULL)
        call->route->handle(call, context);
    else if (!is_taken(call->route))
        call_refuse(call, 400, NULL,
                    "Idempotency-Key is not taken by this call%s. Nothing was done; send the "
                    "request without it.",
                    strcmp(call->route->pattern, "/Events") == 0 ? "; give events a DedupeKey"
                                                                 : "");
    else if (!is_key(key))
        call_refuse(call, 400, NULL,
                    "Idempotency-Key must be 1 to %d visible ASCII characters, without spaces.",
                    IDEMPOTENCY_KEY_MAX);
    else
        look_up(context, call, key);
}
