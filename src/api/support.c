/* support.c — support requests: an account asks, the operator sees a queue and answers.
 *
 * Both sides are told by a notice, and by mail where they have an address: the operator when a
 * request begins to wait for it, the account when it was answered.  These name the request and its
 * kind; what people wrote stands nowhere but in the request.  A message, its audit row, notice and
 * letter are one write job.
 */
#include "store/support.h"

#include "api/api.h"
#include "api/body.h"
#include "api/operator.h"
#include "api/rows.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/letters.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URI_TEXT = API_BASE_TEXT + 48, NOTICE_TEXT = URI_TEXT + 200 };

struct support_work {
    struct api_job api;
    bool by_operator;
    int64_t id;
    struct support_request request;
    char *text; /* of the message to write */
    enum support_state state;
};

static struct support_work *work_of(struct api_job *job)
{
    return (struct support_work *)job;
}

/* People may paste credentials, although they should not. */
static void clear_work(struct api_job *job)
{
    struct support_work *work = work_of(job);

    if (work->text != NULL)
        sodium_memzero(work->text, strlen(work->text));
    free(work->text);
    support_free(&work->request);
}

static struct support_work *work_new(struct call *call, void *context,
                                     bool (*run)(struct api_job *, struct db *),
                                     void (*finish)(struct api_job *))
{
    struct support_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear_work);

    work->by_operator = call->caller.kind == ACCOUNT_OPERATOR;
    return work;
}

/* The account whose requests the caller may see; 0: all. */
static int64_t scope_of(const struct support_work *work)
{
    return work->by_operator ? 0 : work->api.call->caller.account;
}

static void uri_of(const struct support_work *work, char out[URI_TEXT])
{
    char base[API_BASE_TEXT] = "/Operator";

    if (!work->by_operator)
        api_base(work->api.call, base);
    snprintf(out, URI_TEXT, "%s/SupportRequests/%" PRId64, base, work->id);
}

/* ---- telling ---- */

static void tell(struct db *db, int64_t to, const char *kind, const char *title, const char *text,
                 const char *page)
{
    struct account account;

    if (to == 0 || !account_find(db, to, &account))
        return;
    notice_add_about(db, to, kind, text, page);
    letter_add(db, account.email, title, text);
    account_clear(&account);
}

static void tell_operator(struct support_work *work, struct db *db)
{
    char text[NOTICE_TEXT], page[URI_TEXT];
    struct account account;

    if (!account_find(db, work->api.call->caller.account, &account))
        return;
    snprintf(text, sizeof(text), "%s waits for an answer to support request %" PRId64 ", about %s.",
             account.name, work->id, support_kind_words(work->request.kind));
    snprintf(page, sizeof(page), "/operator/support/%" PRId64, work->id);
    tell(db, account_operator(db), "support.asked", "A support request waits", text, page);
    account_clear(&account);
}

static void tell_account(struct support_work *work, struct db *db)
{
    char text[NOTICE_TEXT], page[URI_TEXT];

    snprintf(page, sizeof(page), "/support/%" PRId64, work->id);
    snprintf(text, sizeof(text), "Your support request %" PRId64 ", about %s, was answered. %s",
             work->id, support_kind_words(work->request.kind),
             work->request.state == SUPPORT_CLOSED ? "It is closed; writing to it opens it again."
             : work->request.state == SUPPORT_ANSWERED ? "Writing to it opens it again."
                                                       : "It is still open.");
    tell(db, work->request.account, "support.answered", "Your support request was answered", text,
         page);
}

static void audit(const struct support_work *work, struct db *db, const char *action)
{
    const struct call *call = work->api.call;
    char object[URI_TEXT];

    uri_of(work, object);
    audit_add(db, &call->caller, call->address, action, object,
              json_pack("{s:s, s:s}", "Kind", support_kind_name(work->request.kind), "State",
                        support_state_name(work->request.state)));
}

static void finish_write(struct api_job *job)
{
    struct support_work *work = work_of(job);
    json_t *answer = json_object();
    char uri[URI_TEXT];

    uri_of(work, uri);
    show_text(answer, "Status", "OK");
    show_text(answer, "Uri", uri);
    show_int(answer, "Id", work->id);
    call_json_answer(job->call, 200, answer);
}

/* ---- asking ---- */

static bool run_ask(struct api_job *job, struct db *db)
{
    struct support_work *work = work_of(job);

    work->request.account = job->call->caller.account;
    work->request.state = SUPPORT_OPEN;
    if (!support_add(&job->job, db, &work->request, job->call->caller.name, work->text,
                     &job->problems))
        return false;
    work->id = work->request.id;
    tell_operator(work, db);
    audit(work, db, "support.ask");
    return true;
}

static void ask(struct call *call, void *context)
{
    json_t *body = call_object(call);
    struct support_work *work;

    if (body == NULL)
        return;
    work = work_new(call, context, run_ask, finish_write);
    support_read(&work->request, &work->text, body, &work->api.problems);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- writing on, and answering ---- */

static bool run_write(struct api_job *job, struct db *db)
{
    struct support_work *work = work_of(job);
    const struct caller *caller = &job->call->caller;
    bool waited;

    support_free(&work->request);
    if (!support_find(db, scope_of(work), work->id, &work->request)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such support request.");
        return false;
    }
    waited = work->request.state == SUPPORT_OPEN;
    if (!support_write(&job->job, db, &work->request, caller->account, caller->name, work->text,
                       work->state))
        return false;
    if (work->by_operator)
        tell_account(work, db);
    else if (!waited)
        tell_operator(work, db);
    audit(work, db, work->by_operator ? "support.answer" : "support.write");
    return true;
}

static void add_message(struct call *call, void *context)
{
    json_t *body = call_object(call);
    struct support_work *work;

    if (body == NULL)
        return;
    work = work_new(call, context, run_write, finish_write);
    work->id = path_id(call, work->by_operator ? 0 : 1); /* behind {SID} */
    work->text = support_message_read(&work->state, work->by_operator, body, &work->api.problems);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- reading ---- */

struct support_rows {
    struct rows rows;
    struct support_filter filter;
    struct page page;
    bool by_operator;
};

static bool find_page(struct rows *rows, struct api_job *job, struct db *db)
{
    struct support_rows *list = (struct support_rows *)rows;

    if (!list->by_operator)
        list->filter.account = rows->call->caller.account;
    else if (!operator_filter(job, db, "AccountSid", 0, &list->filter.account))
        return false;
    support_ids(db, &list->filter, list->by_operator, &rows->ids, &rows->total);
    return true;
}

static void begin_page(struct rows *rows, struct buf *out)
{
    rows_page_begin(rows, &((struct support_rows *)rows)->page, "SupportRequests", out);
}

static bool write_request(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    json_t *shown = support_listed(db, id, ((struct support_rows *)rows)->by_operator);

    if (shown != NULL)
        rows_json_row(rows, shown, out);
    return shown != NULL;
}

static const struct rows_kind support_page = {
    .type = ROWS_JSON,
    .find = find_page,
    .begin = begin_page,
    .row = write_request,
    .end = rows_json_end,
};

static void list(struct call *call, void *context)
{
    static const char *const names[] = { "State", "Page", "PageSize", NULL };
    static const char *const operators[] = { "State", "AccountSid", "Page", "PageSize", NULL };
    struct support_rows *list = rows_new(sizeof(*list), &support_page, call, context);
    const char *state = call_query(call, "State");
    struct problems problems = { 0 };

    list->by_operator = call->caller.kind == ACCOUNT_OPERATOR;
    call_query_only(call, list->by_operator ? operators : names, &problems);
    if (state[0] != '\0' && !support_state_named(state, &list->filter.state))
        problems_add(&problems, "State", "must be OPEN, ANSWERED or CLOSED");
    page_read(call, &list->page, &problems);
    list->filter.page = list->page.number;
    list->filter.page_size = list->page.size;
    rows_answer(&list->rows, &problems);
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct support_work *work = work_of(job);

    if (support_find(db, scope_of(work), work->id, &work->request))
        return true;
    error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such support request.");
    return false;
}

static void finish_show(struct api_job *job)
{
    const struct support_work *work = work_of(job);

    call_json_answer(job->call, 200, support_show(&work->request, work->by_operator));
}

static void show(struct call *call, void *context)
{
    struct support_work *work = work_new(call, context, run_show, finish_show);

    work->id = path_id(call, work->by_operator ? 0 : 1);
    api_read(&work->api);
}

/* ---- routes ---- */

#define CHANGES(kind) .who = (kind), .scopes = SCOPE_API, .counted = true
#define READS(kind)   .who = (kind), .scopes = SCOPE_API | SCOPE_READ, .counted = true
#define PARTNER       "/Mediapartners/{SID}/SupportRequests"
#define BRAND         "/Advertisers/{SID}/SupportRequests"
#define OPERATOR      "/Operator/SupportRequests"

const struct route support_routes[] = {
    { "GET", PARTNER, list, READS(ACCOUNT_PARTNER), .reads_query = true },
    { "POST", PARTNER, ask, CHANGES(ACCOUNT_PARTNER) },
    { "GET", PARTNER "/{Id}", show, READS(ACCOUNT_PARTNER) },
    { "POST", PARTNER "/{Id}/Messages", add_message, CHANGES(ACCOUNT_PARTNER) },
    { "GET", BRAND, list, READS(ACCOUNT_BRAND), .reads_query = true },
    { "POST", BRAND, ask, CHANGES(ACCOUNT_BRAND) },
    { "GET", BRAND "/{Id}", show, READS(ACCOUNT_BRAND) },
    { "POST", BRAND "/{Id}/Messages", add_message, CHANGES(ACCOUNT_BRAND) },
    { "GET", OPERATOR, list, READS(ACCOUNT_OPERATOR), .reads_query = true },
    { "GET", OPERATOR "/{Id}", show, READS(ACCOUNT_OPERATOR) },
    { "POST", OPERATOR "/{Id}/Messages", add_message, CHANGES(ACCOUNT_OPERATOR) },
};
const size_t support_route_count = sizeof(support_routes) / sizeof(support_routes[0]);
