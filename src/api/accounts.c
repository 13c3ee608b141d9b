/* accounts.c — what an account sees of itself: its campaigns and its notices.
 *
 * Partners and brands have the same resources under /Mediapartners and /Advertisers; the caller's
 * kind, not the path, says which campaigns are its own.  A brand's approval rules are routed here
 * too, and the partners of its campaigns, whom a rule may name.
 */
#include "store/accounts.h"
#include "api/api.h"
#include "api/approval_rules.h"
#include "api/body.h"
#include "api/cursor_rows.h"
#include "api/rows.h"
#include "model/show.h"
#include "store/campaigns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void list_campaigns(struct call *call, void *context);
static void list_partners(struct call *call, void *context);
static void show_company(struct call *call, void *context);
static void list_notices(struct call *call, void *context);
static void read_notice(struct call *call, void *context);
static void read_notices(struct call *call, void *context);

#define CHANGES(kind) .who = (kind), .scopes = SCOPE_API, .counted = true
#define READS(kind)   .who = (kind), .scopes = SCOPE_API | SCOPE_READ, .counted = true
#define PARTNER       "/Mediapartners/{SID}"
#define BRAND         "/Advertisers/{SID}"

const struct route account_routes[] = {
    { "GET", PARTNER "/CompanyInformation", show_company, READS(ACCOUNT_PARTNER) },
    { "GET", BRAND "/CompanyInformation", show_company, READS(ACCOUNT_BRAND) },
    { "GET", PARTNER "/Campaigns", list_campaigns, READS(ACCOUNT_PARTNER), .reads_query = true },
    { "GET", BRAND "/Campaigns", list_campaigns, READS(ACCOUNT_BRAND), .reads_query = true },
    { "GET", BRAND "/Campaigns/{Id}/Partners", list_partners, READS(ACCOUNT_BRAND),
      .reads_query = true },
    { "GET", PARTNER "/Notices", list_notices, READS(ACCOUNT_PARTNER), .reads_query = true },
    { "GET", BRAND "/Notices", list_notices, READS(ACCOUNT_BRAND), .reads_query = true },
    { "GET", "/Operator/Notices", list_notices, READS(ACCOUNT_OPERATOR), .reads_query = true },
    { "POST", PARTNER "/Notices/Read", read_notices, CHANGES(ACCOUNT_PARTNER) },
    { "POST", BRAND "/Notices/Read", read_notices, CHANGES(ACCOUNT_BRAND) },
    { "POST", "/Operator/Notices/Read", read_notices, CHANGES(ACCOUNT_OPERATOR) },
    { "POST", "/Operator/Notices/{Id}/Read", read_notice, CHANGES(ACCOUNT_OPERATOR) },
    { "POST", PARTNER "/Notices/{Id}/Read", read_notice, CHANGES(ACCOUNT_PARTNER) },
    { "POST", BRAND "/Notices/{Id}/Read", read_notice, CHANGES(ACCOUNT_BRAND) },
    { "GET", BRAND "/ApprovalRules", approval_rules_list, READS(ACCOUNT_BRAND) },
    { "POST", BRAND "/ApprovalRules", approval_rules_add, CHANGES(ACCOUNT_BRAND) },
    { "DELETE", BRAND "/ApprovalRules/{Id}", approval_rules_remove, CHANGES(ACCOUNT_BRAND) },
};
const size_t account_route_count = sizeof(account_routes) / sizeof(account_routes[0]);

enum { NOTICE_URI_TEXT = API_BASE_TEXT + 40 };

struct own_work {
    struct api_job api;
    struct cursor cursor;
    int64_t id;
    int64_t unread; /* notices */
};

static void list_under(struct call *call, void *context, const char *cursor, const char *name,
                       bool (*run)(struct api_job *, struct db *),
                       json_t *(*finish)(struct api_job *, json_t *))
{
    const char *const names[] = { cursor, "PageSize", NULL };
    struct own_work *work = api_job_new(sizeof(*work), call, context, run, NULL, NULL);

    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, cursor, &work->api.problems);
    cursor_rows_answer_in(&work->api, &work->cursor, name, finish);
}

/* impact.com's names; dates of this server are in UTC. */
static bool run_company(struct api_job *job, struct db *db)
{
    char base[API_BASE_TEXT];
    struct account account;
    if (!account_find(db, job->call->caller.account, &account))
        return false;
    char *currency = campaigns_currency(db, account.id);
    json_t *contact = json_object();
    show_text(contact, "Email", account.email);
    job->shown = json_object();
    show_text(job->shown, "CompanyName", account.name);
    show_text(job->shown, "Timezone", "UTC");
    show_text(job->shown, "Currency", currency);
    json_object_set_new(job->shown, "CommercialContact", contact);
    show_text(job->shown, "AccountSid", account.sid);
    show_text(job->shown, "Kind", account_kind_name(account.kind));
    show_date(job->shown, "CreationDate", account.created_at);
    api_base(job->call, base);
    show_uri(job->shown, "Uri", "%s/CompanyInformation", base);
    free(currency);
    account_clear(&account);
    return true;
}

static void show_company(struct call *call, void *context)
{
    struct api_job *job = api_job_new(sizeof(*job), call, context, run_company, api_job_show, NULL);
    call_query_only(call, (const char *const[]){ NULL }, &job->problems);
    if (api_job_valid(job))
        api_read(job);
}

static bool run_campaigns(struct api_job *job, struct db *db)
{
    struct own_work *work = (struct own_work *)job;
    const struct caller *caller = &job->call->caller;
    bool brand = caller->kind == ACCOUNT_BRAND;

    job->shown = campaign_list(db, brand ? caller->account : 0, brand ? 0 : caller->account,
                               work->cursor.at, work->cursor.limit);
    return true;
}

/* With pages, as published clients read campaigns.  An account's are few: counting costs nothing.
 */
struct campaign_rows {
    struct rows rows;
    struct page page;
};

static bool find_campaigns(struct rows *rows, struct api_job *job, struct db *db)
{
    const struct campaign_rows *list = (struct campaign_rows *)rows;
    const struct caller *caller = &rows->call->caller;
    bool brand = caller->kind == ACCOUNT_BRAND;

    (void)job;
    campaign_ids(db, brand ? caller->account : 0, brand ? 0 : caller->account,
                 (list->page.number - 1) * list->page.size, list->page.size, &rows->ids,
                 &rows->total);
    return true;
}

static void begin_campaigns(struct rows *rows, struct buf *out)
{
    rows_page_begin(rows, &((struct campaign_rows *)rows)->page, "Campaigns", out);
}

static bool write_campaign(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    json_t *one = campaign_list(db, 0, 0, id - 1, 1);
    json_t *shown = json_array_get(one, 0);
    bool found = shown != NULL;

    if (found)
        rows_json_row(rows, json_incref(shown), out);
    json_decref(one);
    return found;
}

static const struct rows_kind campaign_page = {
    .type = ROWS_JSON,
    .find = find_campaigns,
    .begin = begin_campaigns,
    .row = write_campaign,
    .end = rows_json_end,
};

/* Under After, as clients of ours read them, Page is passed over. */
static void list_campaigns(struct call *call, void *context)
{
    static const char *const names[] = { "After", "Page", "PageSize", NULL };

    if (call_query(call, "After")[0] != '\0') {
        struct own_work *work =
            api_job_new(sizeof(*work), call, context, run_campaigns, NULL, NULL);
        call_query_only(call, names, &work->api.problems);
        cursor_read(call, &work->cursor, "After", &work->api.problems);
        cursor_rows_answer(&work->api, &work->cursor, "Campaigns");
        return;
    }
    struct problems problems = { 0 };
    struct campaign_rows *list = rows_new(sizeof(*list), &campaign_page, call, context);
    call_query_only(call, names, &problems);
    page_read(call, &list->page, &problems);
    rows_answer(&list->rows, &problems);
}

static bool run_partners(struct api_job *job, struct db *db)
{
    struct own_work *work = (struct own_work *)job;
    int64_t id = path_id(job->call, 1);
    struct campaign campaign = { 0 };
    bool own = campaign_find(db, id, &campaign) && campaign.brand == job->call->caller.account;

    campaign_clear(&campaign);
    if (!own)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such campaign.");
    else
        job->shown = membership_list(db, id, work->cursor.at, work->cursor.limit);
    return own;
}

static void list_partners(struct call *call, void *context)
{
    list_under(call, context, "After", "Members", run_partners, NULL);
}

static bool run_notices(struct api_job *job, struct db *db)
{
    struct own_work *work = (struct own_work *)job;

    job->shown = notice_list(db, job->call->caller.account, work->cursor.at, work->cursor.limit);
    work->unread = notice_unread(db, job->call->caller.account);
    return true;
}

/* Unread goes in front of the list. */
static json_t *add_unread(struct api_job *job, json_t *answer)
{
    json_t *list = json_incref(json_object_get(answer, "Notices"));
    json_object_del(answer, "Notices");
    show_int(answer, "Unread", ((struct own_work *)job)->unread);
    json_object_set_new(answer, "Notices", list);
    return answer;
}

static void list_notices(struct call *call, void *context)
{
    list_under(call, context, "Before", "Notices", run_notices, add_unread);
}

/* One notice's, or with id 0 that of all. */
static void notice_uri(const struct own_work *work, char out[NOTICE_URI_TEXT])
{
    char base[API_BASE_TEXT] = "/Operator";
    if (work->api.call->caller.kind != ACCOUNT_OPERATOR)
        api_base(work->api.call, base);
    if (work->id == 0)
        snprintf(out, NOTICE_URI_TEXT, "%s/Notices", base);
    else
        snprintf(out, NOTICE_URI_TEXT, "%s/Notices/%" PRId64, base, work->id);
}

static bool run_read(struct api_job *job, struct db *db)
{
    const struct own_work *work = (struct own_work *)job;
    const struct caller *caller = &job->call->caller;
    char object[NOTICE_URI_TEXT];

    if (!notice_mark_read(db, caller->account, work->id)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such notice.");
        return false;
    }
    notice_uri(work, object);
    audit_add(db, caller, job->call->address, "notice.read", object, NULL);
    return true;
}

static void finish_read(struct api_job *job)
{
    char uri[NOTICE_URI_TEXT];

    notice_uri((struct own_work *)job, uri);
    call_ok(job->call, "%s", uri);
}

static void read_notice(struct call *call, void *context)
{
    struct own_work *work = api_job_new(sizeof(*work), call, context, run_read, finish_read, NULL);

    work->id = path_id(call, call->caller.kind == ACCOUNT_OPERATOR ? 0 : 1); /* behind {SID} */
    api_write(&work->api);
}

static bool run_read_all(struct api_job *job, struct db *db)
{
    const struct own_work *work = (struct own_work *)job;
    const struct caller *caller = &job->call->caller;
    char object[NOTICE_URI_TEXT];

    notice_mark_all_read(db, caller->account);
    notice_uri(work, object);
    audit_add(db, caller, job->call->address, "notice.read", object, NULL);
    return true;
}

static void read_notices(struct call *call, void *context)
{
    struct own_work *work =
        api_job_new(sizeof(*work), call, context, run_read_all, finish_read, NULL);
    api_write(&work->api);
}
