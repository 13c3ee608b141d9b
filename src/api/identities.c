/* identities.c — holders of tokens and of sessions by their hash, accounts by SID, each for a few
 * seconds.
 *
 * A holder is in the map from the first question on.  While the store is asked, further calls with
 * the same token wait at the holder instead of asking too, chained through call->data.  Tokens that
 * nobody holds are forgotten at once, so guesses fill nothing.  Nobody is refused for guessing: a
 * token is 32 random bytes, which no number of guesses finds, and behind a proxy who guesses has
 * the same address as who does not.  A guess costs one look-up by key, on a road of its own where
 * addresses take turns, and there are no more of these at once than connections.  Both caches are
 * bounded: the least recently used goes.
 */
#include "api/identities.h"

#include "api/api.h"
#include "api/confines.h"
#include "api/hearing.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/list.h"
#include "base/map.h"
#include "store/accounts.h"
#include "store/guests.h"
#include "store/sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct holder {
    struct list in; /* by use, the latest last */
    unsigned char hash[TOKEN_HASH_BYTES];
    struct caller caller;
    int64_t known_at;     /* steady ms; -1: not known */
    bool session;         /* the hash is a session's */
    bool asked;           /* the store is being asked */
    struct call *waiting; /* chained through call->data */
};

struct known_sid {
    struct list in; /* by age, the latest last */
    char sid[SID_TEXT];
    int64_t account, known_at;
};

struct identities {
    struct map holders, sids;
    struct map
        tracking; /* hashes of tracking tokens that were right; only whether they are in it */
    struct list by_use, by_age;
    int64_t changes; /* identities_forget_all() so far */
};

struct identities *identities_new(void)
{
    struct identities *identities = must_alloc(sizeof(*identities));
    list_init(&identities->by_use);
    list_init(&identities->by_age);
    return identities;
}

static void holder_free(struct identities *identities, struct holder *holder)
{
    map_remove_text(&identities->holders, (const char *)holder->hash, TOKEN_HASH_BYTES);
    list_remove(&holder->in);
    free(holder);
}

static void sid_free(struct identities *identities, struct known_sid *known)
{
    map_remove_text(&identities->sids, known->sid, strlen(known->sid));
    list_remove(&known->in);
    free(known);
}

/* Holders that the store is being asked about stay: calls wait at them. */
void identities_forget_all(struct identities *identities)
{
    struct list *next;
    identities->changes++;
    for (struct list *at = identities->by_use.next; at != &identities->by_use; at = next) {
        struct holder *holder = container_of(at, struct holder, in);
        next = at->next;
        if (!holder->asked)
            holder_free(identities, holder);
    }
    while (!list_empty(&identities->by_age))
        sid_free(identities, container_of(identities->by_age.next, struct known_sid, in));
}

void identities_free(struct identities *identities)
{
    if (identities == NULL)
        return;
    identities_forget_all(identities);
    if (!list_empty(&identities->by_use))
        bug("the identities are freed while the store is asked for one");
    map_free(&identities->holders);
    map_free(&identities->sids);
    map_free(&identities->tracking);
    free(identities);
}

/* ---- the answer to who calls ---- */

static void refuse(struct call *call, bool session)
{
    api_challenge(call);
    if (session) { /* which ends every day for everybody: no guess */
        call_refuse(call, 401, NULL, "The session has ended; sign in again.");
        return;
    }
    call_refuse(call, 401, NULL, "The SID and the token do not belong together.");
}

/* The SID that a call with a token claims stands in call->caller, padded with zeroes as the
 * holder's is. */
static void decide(struct api *api, struct call *call, const struct caller *holder)
{
    if (holder->user == 0 && sodium_memcmp(call->caller.sid, holder->sid, SID_TEXT) != 0) {
        refuse(call, false);
        return;
    }
    call->caller = *holder;
    if (confine_allows(call))
        hearing_enter(api, call);
}

/* ---- asking the store ---- */

struct question {
    struct job job;
    struct api *api;
    struct holder *holder;
    int64_t changes;
    unsigned char hash[TOKEN_HASH_BYTES];
    struct caller caller;
    int64_t stale; /* a session or token whose use is to be written down; 0: none */
    bool found, session;
};

static void ask(struct api *api, struct holder *holder);

static bool question_run(struct job *job, struct db *db)
{
    struct question *question = (struct question *)job;
    question->found = question->session
                          ? session_find(db, question->hash, &question->caller, &question->stale)
                          : token_find(db, question->hash, &question->caller, &question->stale) ||
                                guest_find(db, question->hash, &question->caller);
    return true;
}

struct use {
    struct job job;
    int64_t id;
    bool session; /* or a token */
};

static bool use_run(struct job *job, struct db *db)
{
    const struct use *use = (struct use *)job;
    if (use->session)
        session_touch(db, use->id);
    else
        token_touch(db, use->id);
    return true;
}

static void use_done(struct job *job, bool ok)
{
    (void)ok; /* then a later one is */
    free(job);
}

static void write_use(struct api *api, int64_t id, bool session)
{
    struct use *use = must_alloc(sizeof(*use));
    use->job.run = use_run;
    use->job.done = use_done;
    use->id = id;
    use->session = session;
    store_write(api->store, &use->job);
}

static struct call *next_waiting(struct holder *holder)
{
    struct call *call = holder->waiting;
    if (call != NULL) {
        holder->waiting = call->data;
        call->data = NULL;
    }
    return call;
}

static void question_done(struct job *job, bool ok)
{
    struct question *question = (struct question *)job;
    struct api *api = question->api;
    struct holder *holder = question->holder;
    struct call *call;

    if (ok && question->changes != api->identities->changes) { /* this may be the old answer */
        free(question);
        ask(api, holder);
        return;
    }
    holder->asked = false;
    while ((call = next_waiting(holder)) != NULL) {
        if (!ok)
            call_refuse_error(call, &job->error, NULL);
        else if (!question->found)
            refuse(call, question->session);
        else
            decide(api, call, &question->caller);
    }
    if (ok && question->stale != 0)
        write_use(api, question->stale, question->session);
    if (ok && question->found) {
        holder->caller = question->caller;
        holder->known_at = clock_steady_ms();
    } else {
        holder_free(api->identities, holder);
    }
    free(question);
}

static void ask(struct api *api, struct holder *holder)
{
    struct question *question = must_alloc(sizeof(*question));
    question->job.run = question_run;
    question->job.done = question_done;
    question->api = api;
    question->holder = holder;
    question->session = holder->session;
    question->changes = api->identities->changes;
    memcpy(question->hash, holder->hash, TOKEN_HASH_BYTES);
    holder->asked = true;
    const char *address = holder->waiting->address; /* of the first, in whose turn it is */
    question->job.account = api_stranger(address, strlen(address));
    store_look_up(api->store, &question->job);
}

static struct holder *holder_add(struct identities *identities,
                                 const unsigned char hash[TOKEN_HASH_BYTES], bool session)
{
    struct list *at = identities->by_use.next;
    while (identities->holders.count >= IDENTITIES_MAX && at != &identities->by_use) {
        struct holder *oldest = container_of(at, struct holder, in);
        at = at->next;
        if (!oldest->asked)
            holder_free(identities, oldest);
    }
    struct holder *holder = must_alloc(sizeof(*holder));
    memcpy(holder->hash, hash, TOKEN_HASH_BYTES);
    holder->known_at = -1;
    holder->session = session;
    list_append(&identities->by_use, &holder->in);
    map_put_text(&identities->holders, (const char *)hash, TOKEN_HASH_BYTES, holder);
    return holder;
}

/* Decides at once when the holder is known and fresh; otherwise gives false, and *holder. */
static bool decided(struct api *api, struct call *call, const unsigned char hash[TOKEN_HASH_BYTES],
                    struct holder **holder)
{
    struct identities *identities = api->identities;
    struct holder *known = *holder =
        map_get_text(&identities->holders, (const char *)hash, TOKEN_HASH_BYTES);
    if (known == NULL)
        return false;
    list_remove(&known->in);
    list_append(&identities->by_use, &known->in);
    if (known->asked || clock_steady_ms() - known->known_at >= IDENTITY_FRESH_MS)
        return false;
    decide(api, call, &known->caller);
    return true;
}

static void wait_at(struct api *api, struct call *call, struct holder *holder)
{
    call->data = holder->waiting;
    holder->waiting = call;
    if (!holder->asked)
        ask(api, holder);
}

void identities_resume(struct api *api, struct call *call, const char *token)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    struct holder *holder;
    session_hash(hash, token);
    if (decided(api, call, hash, &holder))
        return;
    if (holder == NULL)
        holder = holder_add(api->identities, hash, true);
    wait_at(api, call, holder);
}

void identities_sign_in(struct api *api, struct call *call, const char *sid, const char *token)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    struct holder *holder;
    size_t len = strlen(sid);
    if (len < SID_TEXT) /* a longer one stays "", which is nobody's */
        memcpy(call->caller.sid, sid, len);
    token_hash(hash, token);

    if (decided(api, call, hash, &holder))
        return;
    if (holder == NULL)
        holder = holder_add(api->identities, hash, false);
    wait_at(api, call, holder);
}

/* ---- accounts by SID ---- */

int64_t identities_account(struct identities *identities, const char *sid, int64_t now_ms)
{
    const struct known_sid *known = map_get_text(&identities->sids, sid, strlen(sid));
    return known != NULL && now_ms - known->known_at < IDENTITY_FRESH_MS ? known->account : 0;
}

void identities_learn(struct identities *identities, const char *sid, int64_t account,
                      int64_t now_ms)
{
    size_t len = strlen(sid);
    if (len >= SID_TEXT)
        return;
    struct known_sid *known = map_get_text(&identities->sids, sid, len);
    if (known != NULL)
        sid_free(identities, known);
    else if (identities->sids.count >= IDENTITIES_MAX)
        sid_free(identities, container_of(identities->by_age.next, struct known_sid, in));
    known = must_alloc(sizeof(*known));
    memcpy(known->sid, sid, len);
    known->account = account;
    known->known_at = now_ms;
    list_append(&identities->by_age, &known->in);
    map_put_text(&identities->sids, sid, len, known);
}

/* ---- tracking tokens ---- */

bool identities_tracks(const struct identities *identities, const unsigned char *hash)
{
    return map_get_text(&identities->tracking, (const char *)hash, TOKEN_HASH_BYTES) != NULL;
}

void identities_tracked(struct identities *identities, const unsigned char *hash, bool right)
{
    struct map *tracking = &identities->tracking;
    if (!right) {
        map_remove_text(tracking, (const char *)hash, TOKEN_HASH_BYTES);
        return;
    }
    if (tracking->count >= IDENTITIES_MAX && !identities_tracks(identities, hash)) {
        map_free(tracking);
        *tracking = (struct map){ 0 };
    }
    map_put_text(tracking, (const char *)hash, TOKEN_HASH_BYTES, identities);
}
