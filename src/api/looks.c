/* looks.c — the operator looks into an account: /Operator/Accounts/{Account}/Looks.
 *
 * A look is a token for that account which reads what its own pages read, changes nothing
 * (confines.c), and ends after an hour.  Its beginning and end stand in the operator's audit log
 * and in the account's own.
 */
#include "api/operator.h"

#include "api/body.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/guests.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct look {
    struct api_job api;
    int64_t id;
    char token[TOKEN_TEXT];
};

static void look_name(char out[80], const struct caller *by)
{
    char whole[120];
    snprintf(whole, sizeof(whole), "Operator: %s", by->name);
    show_cut(out, 80, whole);
}

/* In the operator's log, and in that of the account, where the operator is who acts. */
static void look_audit(struct api_job *job, struct db *db, const char *action,
                       const struct account *account, int64_t id)
{
    char object[120];
    struct caller there = job->call->caller;
    operator_audit(job, db, action, "Looks", id, NULL);
    there.account = account->id;
    look_name(there.name, &job->call->caller);
    snprintf(object, sizeof(object), "/%s/%s",
             account->kind == ACCOUNT_BRAND ? "Advertisers" : "Mediapartners", account->sid);
    audit_add(db, &there, job->call->address, action, object, NULL);
}

static bool look_begin(struct look *look, struct db *db, const struct account *account)
{
    struct api_job *job = &look->api;
    unsigned char hash[TOKEN_HASH_BYTES];
    char name[80];
    look_name(name, &job->call->caller);
    const struct guest guest = {
        .kind = CALLER_LOOKS,
        .account = account->id,
        .scope = SCOPE_READ,
        .by = &job->call->caller,
        .name = name,
        .brand = "",
    };
    if (account->kind == ACCOUNT_OPERATOR || !account->active) {
        error_set(&job->job.error, ERROR_CONFLICT, "One looks into active partners and brands.");
        return false;
    }
    token_random(look->token);
    token_hash(hash, look->token);
    look->id = guest_add(db, &guest, hash);
    if (look->id == 0) {
        error_set(&job->job.error, ERROR_TOO_MANY, "There are %d looks into it already.",
                  GUESTS_MOST);
        return false;
    }
    look_audit(job, db, "look.begin", account, look->id);
    job->shown = json_object();
    show_text(job->shown, "Status", "OK");
    show_uri(job->shown, "Uri", "/Operator/Accounts/%s/Looks/%" PRId64, account->sid, look->id);
    show_int(job->shown, "Id", look->id);
    show_text(job->shown, "Sid", account->sid);
    show_text(job->shown, "Kind", account_kind_name(account->kind));
    show_text(job->shown, "Name", account->name);
    show_date(job->shown, "EndDate", db_now(db) + GUEST_MS);
    return true;
}

static bool run_begin(struct api_job *job, struct db *db)
{
    struct account account;
    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool begun = look_begin((struct look *)job, db, &account);
    account_clear(&account);
    return begun;
}

static void finish_begin(struct api_job *job)
{
    show_text(job->shown, "Token", ((struct look *)job)->token);
    api_job_show(job);
}

static void clear_begin(struct api_job *job)
{
    struct look *look = (struct look *)job;
    sodium_memzero(look->token, sizeof(look->token));
}

static void begin(struct call *call, void *context)
{
    api_write(
        api_job_new(sizeof(struct look), call, context, run_begin, finish_begin, clear_begin));
}

static bool run_end(struct api_job *job, struct db *db)
{
    struct account account;
    int64_t id = path_id(job->call, 1);
    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool ended = guest_end(db, account.id, CALLER_LOOKS, id);
    if (ended)
        look_audit(job, db, "look.end", &account, id);
    account_clear(&account);
    return ended;
}

static void finish_end(struct api_job *job)
{
    call_ok(job->call, "/Operator/Accounts/%s", job->call->params[0]);
}

static void end(struct call *call, void *context)
{
    api_write(api_job_new(sizeof(struct api_job), call, context, run_end, finish_end, NULL));
}

#define CHANGES .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API, .counted = true

const struct route look_routes[] = {
    { "POST", "/Operator/Accounts/{Account}/Looks", begin, CHANGES },
    { "DELETE", "/Operator/Accounts/{Account}/Looks/{Id}", end, CHANGES },
};
const size_t look_route_count = sizeof(look_routes) / sizeof(look_routes[0]);
