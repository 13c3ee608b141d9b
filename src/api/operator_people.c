/* operator_people.c — who may act for an account: lists of its tokens and users; tokens given and
 * taken, by the operator or by an ADMIN of the account.
 *
 * A token is shown once, in the answer that makes it; what is kept is its hash.
 */
#include "api/operator.h"

#include "api/body.h"
#include "base/clock.h"
#include "model/date.h"
#include "model/show.h"
#include "store/accounts.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 60 };

void people_base(const struct call *call, char out[PEOPLE_BASE_TEXT])
{
    if (call->caller.kind == ACCOUNT_OPERATOR)
        snprintf(out, PEOPLE_BASE_TEXT, "/Operator/Accounts/%.*s", SID_TEXT, call->params[0]);
    else
        api_base(call, out);
}

void operator_audit(struct api_job *job, struct db *db, const char *action, const char *kind,
                    int64_t id, json_t *detail)
{
    char base[PEOPLE_BASE_TEXT], object[160];

    people_base(job->call, base);
    snprintf(object, sizeof(object), "%s/%s/%" PRId64, base, kind, id);
    audit_add(db, &job->call->caller, job->call->address, action, object, detail);
}

/* ---- lists ---- */

struct list_work {
    struct api_job api;
    json_t *(*list)(struct db *db, int64_t account);
    const char *name;
};

static bool run_list(struct api_job *job, struct db *db)
{
    struct list_work *work = (struct list_work *)job;
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    job->shown = work->list(db, account.id);
    account_clear(&account);
    return true;
}

static void finish_list(struct api_job *job)
{
    const struct list_work *work = (struct list_work *)job;

    call_json_answer(job->call, 200, whole_answer(job->call, work->name, json_incref(job->shown)));
}

static void list_of(struct call *call, void *context, json_t *(*list)(struct db *, int64_t),
                    const char *name)
{
    struct list_work *work = api_job_new(sizeof(*work), call, context, run_list, finish_list, NULL);

    work->list = list;
    work->name = name;
    api_read(&work->api);
}

void operator_list_tokens(struct call *call, void *context)
{
    list_of(call, context, token_list, "Tokens");
}

void operator_list_users(struct call *call, void *context)
{
    list_of(call, context, user_list, "Users");
}

/* ---- tokens ---- */

struct token_work {
    struct api_job api;
    int64_t id;
    enum scope scope;
    char *label, token[TOKEN_TEXT];
    int64_t expires_at; /* DATE_NONE: never */
};

static void clear_token(struct api_job *job)
{
    struct token_work *work = (struct token_work *)job;

    sodium_memzero(work->token, sizeof(work->token));
    free(work->label);
}

static bool run_add_token(struct api_job *job, struct db *db)
{
    struct token_work *work = (struct token_work *)job;
    unsigned char hash[TOKEN_HASH_BYTES];
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    if (job->call->caller.kind != ACCOUNT_OPERATOR && tokens_count(db, account.id) >= TOKENS_MOST) {
        account_clear(&account);
        error_set(&job->job.error, ERROR_CONFLICT,
                  "There are %d tokens, and can be no more: revoke one.", TOKENS_MOST);
        return false;
    }
    token_random(work->token);
    token_hash(hash, work->token);
    work->id = token_add(db, account.id, work->scope, work->label, work->expires_at, hash);
    sodium_memzero(hash, sizeof(hash));
    operator_audit(job, db, "token.add", "Tokens", work->id,
                   json_pack("{s:s, s:s}", "Scope", scope_name(work->scope), "Label",
                             work->label != NULL ? work->label : ""));
    account_clear(&account);
    return true;
}

static void finish_add_token(struct api_job *job)
{
    const struct token_work *work = (struct token_work *)job;
    json_t *answer = json_object();
    char base[PEOPLE_BASE_TEXT];

    people_base(job->call, base);
    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "%s/Tokens/%" PRId64, base, work->id);
    show_int(answer, "Id", work->id);
    show_text(answer, "Scope", scope_name(work->scope));
    show_text(answer, "Token", work->token);
    call_json_answer(job->call, 200, answer);
}

void operator_add_token(struct call *call, void *context)
{
    static const char *const names[] = { "Scope", "Label", "ExpiryDate", NULL };
    json_t *body = call_object(call);
    struct token_work *work;
    struct fields fields = { .from = body };
    char *scope;

    if (body == NULL)
        return;
    work = api_job_new(sizeof(*work), call, context, run_add_token, finish_add_token, clear_token);
    work->scope = SCOPE_API;
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    scope = fields_text(&fields, "Scope", 20, 0, NULL);
    if (scope != NULL && !scope_named(scope, &work->scope))
        problems_add(fields.problems, "Scope", "must be API, READ or EVENTS");
    free(scope);
    work->label = fields_text(&fields, "Label", LABEL_MAX, FIELD_NAME, NULL);
    work->expires_at = fields_date(&fields, "ExpiryDate", DATE_NONE, 0, NULL);
    if (work->expires_at != DATE_NONE && work->expires_at <= clock_wall_ms())
        problems_add(fields.problems, "ExpiryDate", "must be in the future");
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

static bool run_revoke(struct api_job *job, struct db *db)
{
    struct token_work *work = (struct token_work *)job;
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    if (work->id == job->call->caller.token) {
        error_set(&job->job.error, ERROR_CONFLICT,
                  "This is the token you are calling with: revoke it with another one.");
        account_clear(&account);
        return false;
    }
    if (!token_revoke(db, account.id, work->id)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such token.");
        account_clear(&account);
        return false;
    }
    operator_audit(job, db, "token.revoke", "Tokens", work->id, json_object());
    account_clear(&account);
    return true;
}

static void finish_revoke(struct api_job *job)
{
    const struct token_work *work = (struct token_work *)job;

    char base[PEOPLE_BASE_TEXT];

    people_base(job->call, base);
    call_ok(job->call, "%s/Tokens/%" PRId64, base, work->id);
}

void operator_revoke_token(struct call *call, void *context)
{
    struct token_work *work =
        api_job_new(sizeof(*work), call, context, run_revoke, finish_revoke, clear_token);

    work->id = path_id(call, 1);
    api_write(&work->api);
}
