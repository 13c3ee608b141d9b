/* operator_accounts.c — accounts, as the operator makes, finds and changes them.
 *
 * Every change is one write job that also writes its audit row; what an identity rests on is
 * forgotten when it is on disk.
 */
#include "api/operator.h"

#include "api/body.h"
#include "api/cursor_rows.h"
#include "base/fail.h"
#include "model/show.h"
#include "store/accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool operator_account(struct api_job *job, struct db *db, const char *sid, struct account *out)
{
    if (account_find_sid(db, sid, out))
        return true;
    error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such account.");
    return false;
}

bool operator_filter(struct api_job *job, struct db *db, const char *query, unsigned kinds,
                     int64_t *id)
{
    const char *sid = call_query(job->call, query);
    struct account account;
    bool found;

    *id = 0;
    if (sid[0] == '\0')
        return true;
    found = account_find_sid(db, sid, &account) &&
            (kinds == 0 || ((unsigned)account.kind & kinds) != 0);
    if (found) {
        *id = account.id;
    } else {
        problems_add(&job->problems, query, "not the SID of such an account");
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
    }
    account_clear(&account);
    return found;
}

struct account_work {
    struct api_job api;
    struct account account;
    struct account given; /* of a change: NULL stays */
    bool active_given;
    struct cursor cursor;
    int kind;
};

static void clear_work(struct api_job *job)
{
    struct account_work *work = (struct account_work *)job;

    account_clear(&work->account);
    account_clear(&work->given);
}

static struct account_work *work_new(struct call *call, void *context,
                                     bool (*run)(struct api_job *, struct db *),
                                     void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct account_work), call, context, run, finish, clear_work);
}

/* ---- adding one ---- */

static bool run_add(struct api_job *job, struct db *db)
{
    struct account *account = &((struct account_work *)job)->account;
    char object[80];

    account_add(db, account);
    snprintf(object, sizeof(object), "/Operator/Accounts/%s", account->sid);
    audit_add(
        db, &job->call->caller, job->call->address, "account.add", object,
        json_pack("{s:s, s:s}", "Kind", account_kind_name(account->kind), "Name", account->name));
    return true;
}

static void finish_add(struct api_job *job)
{
    const struct account *account = &((struct account_work *)job)->account;
    json_t *answer = json_object();

    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "/Operator/Accounts/%s", account->sid);
    show_int(answer, "Id", account->id);
    show_text(answer, "Sid", account->sid);
    call_json_answer(job->call, 200, answer);
}

void operator_add_account(struct call *call, void *context)
{
    static const char *const names[] = { "Kind", "Name", "Email", NULL };
    json_t *body = call_object(call);
    struct account_work *work;
    struct fields fields = { .from = body };
    char *kind;

    if (body == NULL)
        return;
    work = work_new(call, context, run_add, finish_add);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    kind = fields_text(&fields, "Kind", 20, 0, "PARTNER or BRAND");
    if (kind != NULL &&
        (!account_kind_named(kind, &work->account.kind) || work->account.kind == ACCOUNT_OPERATOR))
        problems_add(fields.problems, "Kind", "must be PARTNER or BRAND");
    free(kind);
    work->account.name =
        fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, "the account's name");
    work->account.email = body_email(&fields, "Email", NULL);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- reading ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    struct account_work *work = (struct account_work *)job;

    job->shown = account_list(db, work->kind, call_query(job->call, "Search"), work->cursor.at,
                              work->cursor.limit);
    return true;
}

void operator_list_accounts(struct call *call, void *context)
{
    static const char *const names[] = { "Kind", "Search", "After", "PageSize", NULL };
    struct account_work *work = work_new(call, context, run_list, NULL);
    const char *kind = call_query(call, "Kind");
    enum account_kind named = ACCOUNT_PARTNER;

    call_query_only(call, names, &work->api.problems);
    if (kind[0] != '\0' && !account_kind_named(kind, &named))
        problems_add(&work->api.problems, "Kind", "must be PARTNER, BRAND or OPERATOR");
    work->kind = kind[0] != '\0' ? (int)named : 0;
    cursor_read(call, &work->cursor, "After", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Accounts");
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct account_work *work = (struct account_work *)job;

    if (!operator_account(job, db, job->call->params[0], &work->account))
        return false;
    job->shown = account_show(&work->account);
    return true;
}

void operator_show_account(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_show, api_job_show)->api);
}

/* ---- changing one ---- */

static void apply_text(char **text, const char *given)
{
    if (given == NULL)
        return;
    free(*text);
    *text = must_copy(given);
}

static void apply(struct account *account, const struct account *given, bool active_given)
{
    apply_text(&account->name, given->name);
    apply_text(&account->email, given->email);
    if (active_given)
        account->active = given->active;
}

static bool run_change(struct api_job *job, struct db *db)
{
    struct account_work *work = (struct account_work *)job;
    struct account *account = &work->account;
    char object[80];

    account_clear(account);
    if (!operator_account(job, db, job->call->params[0], account))
        return false;
    apply(account, &work->given, work->active_given);
    if (!account->active && account->id == job->call->caller.account) {
        error_set(&job->job.error, ERROR_CONFLICT, "You cannot shut your own account.");
        return false;
    }
    account_change(db, account);
    snprintf(object, sizeof(object), "/Operator/Accounts/%s", account->sid);
    audit_add(db, &job->call->caller, job->call->address, "account.change", object,
              json_pack("{s:s, s:s, s:b}", "Name", account->name, "Email", account->email, "Active",
                        (int)account->active));
    return true;
}

static void finish_change(struct api_job *job)
{
    const struct account_work *work = (struct account_work *)job;

    call_ok(job->call, "/Operator/Accounts/%s", work->account.sid);
}

void operator_change_account(struct call *call, void *context)
{
    static const char *const names[] = { "Name", "Email", "Active", NULL };
    json_t *body = call_object(call);
    struct account_work *work;
    struct fields fields = { .from = body };

    if (body == NULL)
        return;
    work = work_new(call, context, run_change, finish_change);
    fields.problems = &work->api.problems;
    fields_only(&fields, names);
    if (body_empties(body, "Name"))
        problems_add(fields.problems, "Name", "must not be empty");
    work->given.name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, NULL);
    work->given.email =
        body_empties(body, "Email") ? must_copy("") : body_email(&fields, "Email", NULL);
    work->active_given = body_bool(&fields, "Active", &work->given.active);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}
