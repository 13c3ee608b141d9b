/* inquiries.c — action inquiries over HTTP, for the partner who asks and the brand who answers.
 *
 * A handler reads the request, gives the store one job, and answers when that is done.  Fields are
 * checked inside the job, because an amount can only be read in a currency and the currency may be
 * the campaign's; so one place reads them, for single calls and imports alike.
 *
 * Whatever changes an inquiry is in the audit log, in the same transaction.
 */
#include "api/inquiries.h"

#include "api/body.h"
#include "api/rows.h"
#include "base/text.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/campaigns.h"
#include "store/held_decisions.h"
#include "store/inquiry_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inquiry_work {
    struct api_job api;
    int64_t id;
    json_t *fields; /* of the request */
    char *comment;
    enum inquiry_step step;
    int seconds;    /* a decision can be undone */
    int64_t person; /* to be assigned, 0: nobody; of a payout the tracker */
};

static void clear_work(struct api_job *job)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    json_decref(work->fields);
    free(work->comment);
}

static struct inquiry_work *work_new(struct call *call, void *context,
                                     bool (*run)(struct api_job *, struct db *),
                                     void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct inquiry_work), call, context, run, finish, clear_work);
}

const char *inquiries_uri(char out[INQUIRIES_URI], const struct caller *caller)
{
    snprintf(out, INQUIRIES_URI, "/%s/%s/ActionInquiries",
             caller->kind == ACCOUNT_BRAND ? "Advertisers" : "Mediapartners", caller->sid);
    return out;
}

static void audit(struct db *db, const struct call *call, const char *action, int64_t id)
{
    char base[INQUIRIES_URI], object[INQUIRIES_URI + 24];
    snprintf(object, sizeof(object), "%s/%" PRId64, inquiries_uri(base, &call->caller), id);
    audit_add(db, &call->caller, call->address, action, object, NULL);
}

static void finish_ok(struct api_job *job)
{
    const struct inquiry_work *work = (struct inquiry_work *)job;
    char base[INQUIRIES_URI];
    call_ok(job->call, "%s/%" PRId64, inquiries_uri(base, &job->call->caller), work->id);
}

/* ---- opening ---- */

/* Finds the campaign, if the partner is a member of it.  Puts in the currency when there is none:
 * the campaign's, or any when the request will be refused for its campaign, so that its amounts are
 * checked all the same. */
static void complete(struct db *db, const struct call *call, json_t *from,
                     struct campaign *campaign)
{
    struct problems ignored = { 0 };
    const struct fields fields = { from, NULL, &ignored };
    int64_t id = fields_id(&fields, "CampaignId", NULL);
    size_t before = ignored.count;
    char *currency = fields_text(&fields, "Currency", 100, 0, NULL);
    bool absent = currency == NULL && ignored.count == before;
    bool found = campaign_of_member(db, id, call->caller.account, campaign);
    if (absent)
        json_object_set_new(from, "Currency", json_string(found ? campaign->currency : "EUR"));
    free(currency);
    problems_free(&ignored);
}

bool inquiry_create(struct job *job, struct db *db, const struct call *call, json_t *from,
                    const char *(*label)(const char *), struct problems *problems, int64_t *id)
{
    struct inquiry inquiry;
    struct campaign campaign;
    json_t *whole = json_copy(from);
    complete(db, call, whole, &campaign);
    inquiry_read(&inquiry, whole, label, db_now(db), problems);
    json_decref(whole);
    if (inquiry.campaign != 0 && inquiry.campaign != campaign.id)
        problems_add(problems, label != NULL ? label("CampaignId") : "CampaignId",
                     "must be a campaign that you are a member of");
    if (problems->count > 0)
        error_set(&job->error, ERROR_INVALID, "The inquiry has wrong fields");
    bool opened =
        problems->count == 0 && inquiry_open(job, db, &call->caller, &campaign, &inquiry, problems);
    if (opened) {
        *id = inquiry.id;
        audit(db, call, "inquiry.open", inquiry.id);
    }
    campaign_clear(&campaign);
    inquiry_free(&inquiry);
    return opened;
}

static bool run_create(struct api_job *job, struct db *db)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    return inquiry_create(&job->job, db, job->call, work->fields, NULL, &job->problems, &work->id);
}

static void handle_create(struct call *call, void *context)
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct inquiry_work *work = work_new(call, context, run_create, finish_ok);
    work->fields = fields;
    api_write(&work->api);
}

/* ---- the brand's decision ---- */

bool inquiry_decide(struct job *job, struct db *db, const struct call *call, const json_t *from,
                    const char *(*label)(const char *), struct problems *problems, int64_t *id)
{
    static const char *const actions[] = {
        [STEP_ACCEPT] = "inquiry.accept",
        [STEP_DECLINE] = "inquiry.decline",
        [STEP_ASK] = "inquiry.ask",
    };
    struct resolution resolution;
    resolution_read(&resolution, from, label, problems);
    if (problems->count > 0)
        error_set(&job->error, ERROR_INVALID, "The decision has wrong fields");
    bool decided =
        problems->count == 0 && inquiry_resolve(job, db, &call->caller, &resolution, problems);
    if (decided) {
        *id = resolution.id;
        audit(db, call, actions[resolution.step], resolution.id);
    }
    resolution_free(&resolution);
    return decided;
}

/* One that can be undone for so many seconds; 0: it is taken at once. */
static bool decide_or_hold(struct job *job, struct db *db, const struct call *call,
                           const json_t *fields, int seconds, struct problems *problems,
                           int64_t *id)
{
    struct resolution resolution;
    if (seconds == 0)
        return inquiry_decide(job, db, call, fields, NULL, problems, id);
    resolution_read(&resolution, fields, NULL, problems);
    if (problems->count > 0)
        error_set(&job->error, ERROR_INVALID, "The decision has wrong fields");
    *id = resolution.id;
    bool held = problems->count == 0 && inquiry_hold(job, db, &call->caller, call->address,
                                                     &resolution, fields, seconds, problems);
    resolution_free(&resolution);
    return held;
}

/* Takes UndoSeconds out of the fields: a person at a page has ten, a program none unless it asks.
 */
static int take_seconds(const struct call *call, json_t *fields, struct problems *problems)
{
    json_t *given = json_object_get(fields, "UndoSeconds");
    int64_t seconds = call->caller.user != 0 ? HELD_SECONDS : 0;
    if (given == NULL)
        return (int)seconds;
    if (json_is_integer(given))
        seconds = json_integer_value(given);
    else if (!json_is_string(given) ||
             !text_int(json_string_value(given), 0, HELD_SECONDS_MOST, &seconds))
        seconds = -1;
    if (seconds < 0 || seconds > HELD_SECONDS_MOST)
        problems_add(problems, "UndoSeconds", "must be a number from 0 to %d", HELD_SECONDS_MOST);
    json_object_del(fields, "UndoSeconds");
    return (int)seconds;
}

static bool run_decide(struct api_job *job, struct db *db)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    return decide_or_hold(&job->job, db, job->call, work->fields, work->seconds, &job->problems,
                          &work->id);
}

static void handle_decide(struct call *call, void *context)
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct inquiry_work *work = work_new(call, context, run_decide, finish_ok);
    work->seconds = take_seconds(call, fields, &work->api.problems);
    work->fields = fields;
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

static bool run_undo(struct api_job *job, struct db *db)
{
    return inquiry_undo(&job->job, db, &job->call->caller, job->call->address,
                        ((const struct inquiry_work *)job)->id);
}

static void handle_undo(struct call *call, void *context)
{
    struct inquiry_work *work = work_new(call, context, run_undo, finish_ok);
    work->id = path_id(call, 1);
    api_write(&work->api);
}

static bool run_payout(struct api_job *job, struct db *db)
{
    const struct inquiry_work *work = (const struct inquiry_work *)job;
    char currency[4];
    bool by_terms;
    int64_t payout =
        inquiry_payout(db, &job->call->caller, work->id, work->person, &by_terms, currency);
    if (currency[0] == '\0')
        return false;
    job->shown = json_object();
    show_money(job->shown, "Payout", payout, currency);
    show_bool(job->shown, "ByTerms", by_terms);
    return true;
}

/* What accepting it pays when the brand names no FinalPayout. */
static void handle_payout(struct call *call, void *context)
{
    static const char *const names[] = { "ActionTrackerId", NULL };
    struct inquiry_work *work = work_new(call, context, run_payout, api_job_show);
    work->id = path_id(call, 1);
    call_query_only(call, names, &work->api.problems);
    work->person = query_id(call, "ActionTrackerId", &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

/* ---- many at once ---- */

enum { BULK_MOST = 200 };
static const char *const bulk_names[] = {
    "Ids", "Step", "RejectReason", "ResolutionNotes", "ActionTrackerId", "AssigneeId", NULL
};

static const char *text_of(const json_t *from, const char *name)
{
    const char *text = json_string_value(json_object_get(from, name));
    return text != NULL ? text : "";
}

/* The decision on one of them, under the API's names. */
static json_t *bulk_decision(struct db *db, const struct call *call, const json_t *from, int64_t id)
{
    bool accepts = strcmp(text_of(from, "Step"), "ACCEPT") == 0;
    json_t *decision = json_object();
    json_object_set_new(decision, "Id", json_sprintf("%" PRId64, id));
    json_object_set_new(decision, "ResolutionStatus", json_string(accepts ? "VALID" : "DECLINED"));
    json_object_set_new(decision, "ResolutionNotes", json_string(text_of(from, "ResolutionNotes")));
    if (!accepts)
        json_object_set_new(decision, "RejectReason", json_string(text_of(from, "RejectReason")));
    json_t *tracker = json_object_get(from, "ActionTrackerId");
    int64_t one = 0;
    if (accepts && tracker == NULL)
        one = inquiry_one_tracker(db, id, call->caller.account);
    if (accepts && tracker != NULL)
        json_object_set(decision, "ActionTrackerId", tracker);
    else if (one != 0)
        json_object_set_new(decision, "ActionTrackerId", json_sprintf("%" PRId64, one));
    return decision;
}

static bool bulk_close(struct job *job, struct db *db, const struct call *call, int64_t id)
{
    bool done = inquiry_partner_step(job, db, &call->caller, id, STEP_CLOSE, NULL);
    if (done)
        audit(db, call, "inquiry.close", id);
    return done;
}

static bool bulk_assign(struct job *job, struct db *db, const struct call *call, int64_t id,
                        int64_t person)
{
    bool done = inquiry_assign(job, db, &call->caller, id, person);
    if (done)
        audit(db, call, "inquiry.assign", id);
    return done;
}

static bool bulk_row(struct inquiry_work *work, struct db *db, int64_t id,
                     struct problems *problems)
{
    struct job *job = &work->api.job;
    const struct call *call = work->api.call;
    const char *step = text_of(work->fields, "Step");
    if (strcmp(step, "CLOSE") == 0)
        return bulk_close(job, db, call, id);
    if (strcmp(step, "ASSIGN") == 0)
        return bulk_assign(job, db, call, id, work->person);
    if (strcmp(step, "UNDO") == 0)
        return inquiry_undo(job, db, &call->caller, call->address, id);
    json_t *decision = bulk_decision(db, call, work->fields, id);
    bool done = decide_or_hold(job, db, call, decision, work->seconds, problems, &id);
    json_decref(decision);
    return done;
}

static json_t *bulk_answer(const char *id, bool done, const struct problems *problems,
                           const struct error *error)
{
    json_t *row =
        done ? json_pack("{s:s}", "Status", "OK") : call_error_body(problems, error->message);
    json_object_set_new(row, "Id", json_string(id));
    return row;
}

/* Each in its own right: one that is refused has written nothing, and the others go on. */
static bool run_bulk(struct api_job *job, struct db *db)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    json_t *rows, *one;
    int64_t taken = 0, all = 0;
    size_t i;
    struct user_key person;
    if (work->person != 0 && (!user_find_key(db, work->person, &person) ||
                              person.caller.account != job->call->caller.account)) {
        problems_add(&job->problems, "AssigneeId", "must be an active user of this account");
        error_set(&job->job.error, ERROR_INVALID, "Nobody can be assigned so");
        return false;
    }
    rows = json_array();
    json_array_foreach(json_object_get(work->fields, "Ids"), i, one)
    {
        struct problems problems = { 0 };
        const char *text = json_string_value(one);
        int64_t id = 0;
        id_parse(text, &id);
        bool done = bulk_row(work, db, id, &problems);
        enum error_kind kind = job->job.error.kind;
        bool broken = db_failed(db) || kind == ERROR_BROKEN || kind == ERROR_UNAVAILABLE;
        json_array_append_new(rows, bulk_answer(text, done, &problems, &job->job.error));
        problems_free(&problems);
        if (broken) {
            json_decref(rows);
            return false;
        }
        job->job.error = (struct error){ 0 };
        all++;
        taken += done;
    }
    job->shown = json_object();
    json_object_set_new(job->shown, "Status", json_string("OK"));
    json_object_set_new(job->shown, "Done", json_sprintf("%" PRId64, taken));
    json_object_set_new(job->shown, "Refused", json_sprintf("%" PRId64, all - taken));
    json_object_set_new(job->shown, "Results", rows);
    return true;
}

/* Ids become texts, each once. */
static void bulk_ids(json_t *fields, struct problems *problems)
{
    json_t *given = json_object_get(fields, "Ids"), *ids = json_array(), *seen = json_object(),
           *one;
    size_t i;
    json_array_foreach(given, i, one)
    {
        char text[24] = "";
        int64_t id;
        if (json_is_integer(one))
            snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(one));
        const char *name = json_is_string(one) ? json_string_value(one) : text;
        if (!id_parse(name, &id))
            problems_add(problems, "Ids", "must be the numbers of inquiries");
        else if (json_object_get(seen, name) == NULL)
            json_array_append_new(ids, json_string(name));
        json_object_set_new(seen, name, json_true());
        if (problems->count > 0)
            break;
    }
    if (!json_is_array(given) || json_array_size(given) == 0 || json_array_size(given) > BULK_MOST)
        problems_add(problems, "Ids", "must be a list of 1 to %d inquiries", BULK_MOST);
    json_object_set_new(fields, "Ids", ids);
    json_decref(seen);
}

static void bulk_step(const struct call *call, const json_t *fields, struct problems *problems)
{
    const char *step = text_of(fields, "Step");
    bool brand = call->caller.kind == ACCOUNT_BRAND;
    bool known = strcmp(step, "ASSIGN") == 0 ||
                 (brand ? strcmp(step, "ACCEPT") == 0 || strcmp(step, "DECLINE") == 0 ||
                              strcmp(step, "UNDO") == 0
                        : strcmp(step, "CLOSE") == 0);
    if (!known)
        problems_add(problems, "Step", "must be %s",
                     brand ? "ACCEPT, DECLINE, UNDO or ASSIGN" : "CLOSE or ASSIGN");
    if (strcmp(step, "DECLINE") == 0 && reject_reason_named(text_of(fields, "RejectReason")) == -1)
        problems_add(problems, "RejectReason", "must be one of the nine reasons");
}

static void handle_bulk(struct call *call, void *context)
{
    json_t *fields = call_json(call);
    if (fields == NULL)
        return;
    struct inquiry_work *work = work_new(call, context, run_bulk, api_job_show);
    struct problems *problems = &work->api.problems;
    work->fields = fields;
    if (!json_is_object(fields)) {
        problems_add(problems, "", "the body must be an object");
    } else {
        const struct fields from = { fields, NULL, problems };
        work->seconds = take_seconds(call, fields, problems);
        fields_only(&from, bulk_names);
        bulk_ids(fields, problems);
        bulk_step(call, fields, problems);
        work->person = fields_id(&from, "AssigneeId", NULL);
    }
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- who can be assigned ---- */

static bool run_assignees(struct api_job *job, struct db *db)
{
    json_t *users = user_list(db, job->call->caller.account), *one;
    json_t *found = json_array();
    size_t i;
    json_array_foreach(users, i, one)
    {
        if (strcmp(text_of(one, "Active"), "true") == 0)
            json_array_append_new(found, json_pack("{s:O,s:O}", "Id", json_object_get(one, "Id"),
                                                   "Name", json_object_get(one, "Name")));
    }
    json_decref(users);
    job->shown = whole_answer(job->call, "Assignees", found);
    return true;
}

static void handle_assignees(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_assignees, api_job_show)->api);
}

/* ---- close, reopen, comment ---- */

static bool run_step(struct api_job *job, struct db *db)
{
    static const char *const actions[] = {
        [STEP_CLOSE] = "inquiry.close",
        [STEP_REOPEN] = "inquiry.reopen",
        [STEP_REPLY] = "inquiry.comment",
    };
    struct inquiry_work *work = (struct inquiry_work *)job;
    const struct caller *caller = &job->call->caller;
    bool done =
        caller->kind == ACCOUNT_BRAND
            ? inquiry_comment(&job->job, db, caller, work->id, work->comment)
            : inquiry_partner_step(&job->job, db, caller, work->id, work->step, work->comment);
    if (done)
        audit(db, job->call, actions[work->step], work->id);
    return done;
}

static void step_with_comment(struct call *call, void *context, enum inquiry_step step)
{
    json_t *fields = call_object(call);
    if (fields == NULL)
        return;
    struct inquiry_work *work = work_new(call, context, run_step, finish_ok);
    work->id = path_id(call, 1);
    work->step = step;
    work->comment = comment_read(fields, &work->api.problems);
    json_decref(fields);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

static void handle_comment(struct call *call, void *context)
{
    step_with_comment(call, context, STEP_REPLY);
}

static void handle_reopen(struct call *call, void *context)
{
    step_with_comment(call, context, STEP_REOPEN);
}

static void handle_close(struct call *call, void *context)
{
    struct inquiry_work *work = work_new(call, context, run_step, finish_ok);
    work->id = path_id(call, 1);
    work->step = STEP_CLOSE;
    api_write(&work->api);
}

/* ---- reading ---- */

json_t *inquiry_shown(struct db *db, const struct caller *caller, int64_t id)
{
    struct inquiry inquiry = { 0 };
    if (!inquiry_find(db, caller, id, &inquiry))
        return NULL;
    json_t *shown = inquiry_show(&inquiry, caller->kind == ACCOUNT_BRAND);
    inquiry_free(&inquiry);
    return shown;
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct inquiry_work *work = (struct inquiry_work *)job;
    job->shown = inquiry_shown(db, &job->call->caller, work->id);
    if (job->shown == NULL)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no action inquiry %s",
                  job->call->params[1]);
    return job->shown != NULL;
}

static void handle_show(struct call *call, void *context)
{
    static const char *const none[] = { NULL };
    struct inquiry_work *work = work_new(call, context, run_show, api_job_show);
    work->id = path_id(call, 1);
    call_query_only(call, none, &work->api.problems);
    if (api_job_valid(&work->api))
        api_read(&work->api);
}

static bool run_history(struct api_job *job, struct db *db)
{
    job->shown = inquiry_history(db, &job->call->caller, ((const struct inquiry_work *)job)->id);
    if (job->shown == NULL)
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no action inquiry %s",
                  job->call->params[1]);
    return job->shown != NULL;
}

static void handle_history(struct call *call, void *context)
{
    struct inquiry_work *work = work_new(call, context, run_history, api_job_show);
    work->id = path_id(call, 1);
    api_read(&work->api);
}

struct inquiry_rows {
    struct rows rows;
    struct inquiry_filter filter; /* its texts are the call's */
    struct page page;
};

static bool find_page(struct rows *rows, struct api_job *job, struct db *db)
{
    const struct inquiry_rows *list = (struct inquiry_rows *)rows;
    (void)job;
    inquiry_ids(db, &rows->call->caller, &list->filter, &rows->ids, &rows->total);
    return true;
}

static void begin_page(struct rows *rows, struct buf *out)
{
    rows_page_begin(rows, &((struct inquiry_rows *)rows)->page, "ActionInquiries", out);
}

static bool write_inquiry(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    json_t *shown = inquiry_shown(db, &rows->call->caller, id);
    if (shown != NULL)
        rows_json_row(rows, shown, out);
    return shown != NULL;
}

static const struct rows_kind inquiry_page = {
    .type = ROWS_JSON,
    .find = find_page,
    .begin = begin_page,
    .row = write_inquiry,
    .end = rows_json_end,
};

static void handle_list(struct call *call, void *context)
{
    struct inquiry_rows *list = rows_new(sizeof(*list), &inquiry_page, call, context);
    struct problems problems = { 0 };
    inquiry_filter_read(call, true, &list->filter, &problems);
    page_read(call, &list->page, &problems);
    list->filter.page = list->page.number;
    list->filter.page_size = list->page.size;
    rows_answer(&list->rows, &problems);
}

/* ---- routes ---- */

#define PARTNER  "/Mediapartners/{SID}/ActionInquiries"
#define BRAND    "/Advertisers/{SID}/ActionInquiries"
#define CHANGES  SCOPE_API
#define READS    (SCOPE_API | SCOPE_READ)
#define BODY_MAX ((size_t)256 * 1024) /* form-encoded, the longest fields triple */

const struct route inquiry_routes[] = {
    { "POST", PARTNER, handle_create, ACCOUNT_PARTNER, CHANGES, COUNTED, BODY_MAX },
    { "GET", PARTNER, handle_list, ACCOUNT_PARTNER, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/{Id}", handle_show, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "GET", PARTNER "/{Id}/History", handle_history, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "POST", PARTNER "/Bulk", handle_bulk, ACCOUNT_PARTNER, CHANGES, COUNTED, 0 },
    { "GET", PARTNER "/Assignees", handle_assignees, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Close", handle_close, ACCOUNT_PARTNER, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Comments", handle_comment, ACCOUNT_PARTNER, CHANGES, COUNTED, 0 },
    { "POST", PARTNER "/{Id}/Reopen", handle_reopen, ACCOUNT_PARTNER, CHANGES, COUNTED, 0 },
    { "GET", BRAND, handle_list, ACCOUNT_BRAND, READS, COUNTED, 0, .reads_query = true },
    { "PUT", BRAND, handle_decide, ACCOUNT_BRAND, CHANGES, COUNTED, BODY_MAX },
    { "GET", BRAND "/{Id}", handle_show, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "POST", BRAND "/Bulk", handle_bulk, ACCOUNT_BRAND, CHANGES, COUNTED, 0 },
    { "GET", BRAND "/Assignees", handle_assignees, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "GET", BRAND "/{Id}/Payout", handle_payout, ACCOUNT_BRAND, READS, COUNTED, 0,
      .reads_query = true },
    { "POST", BRAND "/{Id}/Undo", handle_undo, ACCOUNT_BRAND, CHANGES, COUNTED, 0 },
    { "GET", BRAND "/{Id}/History", handle_history, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "POST", BRAND "/{Id}/Comments", handle_comment, ACCOUNT_BRAND, CHANGES, COUNTED, 0 },
};
const size_t inquiry_route_count = sizeof(inquiry_routes) / sizeof(inquiry_routes[0]);
