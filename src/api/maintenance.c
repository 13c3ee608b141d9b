/* maintenance.c — the operator's pause of all postbacks: start or schedule, end, see how far.
 *
 * A change is one write job with its audit row; the engine is told when it is on disk and takes
 * it from there.
 */
#include "store/maintenance.h"
#include "api/api.h"
#include "api/body.h"
#include "base/clock.h"
#include "base/fail.h"
#include "engine/maintenance.h"
#include "model/date.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/ledger.h"

#include <stdio.h>

#define URI     "/Operator/Maintenance"
#define CHANGES .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API, .counted = true
/* Not counted: it is asked again and again while it catches up. */
#define WATCHES .scopes = SCOPE_API | SCOPE_READ

static void start(struct call *call, void *context);
static void end(struct call *call, void *context);
static void show(struct call *call, void *context);

const struct route maintenance_routes[] = {
    { "POST", URI, start, CHANGES },
    { "POST", URI "/End", end, CHANGES },
    { "GET", URI, show, .who = ACCOUNT_OPERATOR, WATCHES },
    { "GET", "/Mediapartners/{SID}/Maintenance", show, .who = ACCOUNT_PARTNER, WATCHES },
    { "GET", "/Advertisers/{SID}/Maintenance", show, .who = ACCOUNT_BRAND, WATCHES },
};
const size_t maintenance_route_count = sizeof(maintenance_routes) / sizeof(maintenance_routes[0]);

struct maintenance_work {
    struct api_job api;
    struct maintenance maintenance;
    int64_t waiting; /* postbacks undelivered now */
};

static struct maintenance_work *work_of(struct api_job *job)
{
    return (struct maintenance_work *)job;
}

static void clear_work(struct api_job *job)
{
    maintenance_clear(&work_of(job)->maintenance);
}

static struct maintenance_work *work_new(struct call *call, void *context,
                                         bool (*run)(struct api_job *, struct db *),
                                         void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct maintenance_work), call, context, run, finish, clear_work);
}

static void finish_change(struct api_job *job)
{
    json_t *answer = json_object();
    show_text(answer, "Status", "OK");
    show_text(answer, "Uri", URI);
    show_id(answer, "Id", work_of(job)->maintenance.id);
    call_json_answer(job->call, 200, answer);
}

/* ---- start ---- */

static bool run_start(struct api_job *job, struct db *db)
{
    struct maintenance *maintenance = &work_of(job)->maintenance;
    char start_at[DATE_TEXT];
    if (!maintenance_add(&job->job, db, maintenance))
        return false;
    audit_add(db, &job->call->caller, job->call->address, "maintenance.start", URI,
              json_pack("{s:s, s:s}", "StartDate", date_format(start_at, maintenance->start_at),
                        "Message", maintenance->message));
    return true;
}

static void start(struct call *call, void *context)
{
    static const char *const names[] = { "Message", "StartDate", "ExpectedEndDate", NULL };
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct maintenance_work *work = work_new(call, context, run_start, finish_change);
    struct maintenance *maintenance = &work->maintenance;
    struct fields fields = { .from = body, .problems = &work->api.problems };
    int64_t now = clock_wall_ms();
    fields_only(&fields, names);
    maintenance->message =
        fields_text(&fields, "Message", MAINTENANCE_MESSAGE_MAX, FIELD_LINES, NULL);
    maintenance->start_at = fields_date(&fields, "StartDate", DATE_NONE, 0, NULL);
    maintenance->expected_end_at = fields_date(&fields, "ExpectedEndDate", DATE_NONE, 0, NULL);
    maintenance->started_at = maintenance->ended_at = DATE_NONE;
    if (maintenance->message == NULL)
        maintenance->message = must_copy("");
    if (maintenance->start_at == DATE_NONE || maintenance->start_at < now)
        maintenance->start_at = now;
    if (maintenance->expected_end_at != DATE_NONE &&
        maintenance->expected_end_at <= maintenance->start_at)
        problems_add(fields.problems, "ExpectedEndDate", "must be after the start");
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- end ---- */

static bool run_end(struct api_job *job, struct db *db)
{
    maintenance_clear(&work_of(job)->maintenance);
    if (!maintenance_end(&job->job, db, &work_of(job)->maintenance))
        return false;
    audit_add(db, &job->call->caller, job->call->address, "maintenance.end", URI, NULL);
    return true;
}

static void end(struct call *call, void *context)
{
    api_write(&work_new(call, context, run_end, finish_change)->api);
}

/* ---- how far it is ---- */

static bool run_show(struct api_job *job, struct db *db)
{
    struct maintenance_work *work = work_of(job);
    maintenance_load(db, &work->maintenance);
    const struct caller *caller = &job->call->caller;
    work->waiting = ledger_pending(db, caller->kind == ACCOUNT_OPERATOR ? 0 : caller->account, 0);
    return true;
}

/* An account sees how far it is; how much the whole server has to do is the operator's to know. */
static json_t *show_catchup(const struct maintenance_progress *progress, bool whole)
{
    json_t *shown = json_object();
    char rate[32];
    int64_t done = progress->total - progress->left;
    show_int(shown, "Percent", progress->total > 0 ? done * 100 / progress->total : 100);
    show_date(shown, "ExpectedEnd", progress->expected_end_at);
    if (!whole)
        return shown;
    snprintf(rate, sizeof(rate), "%.1f", progress->rate);
    show_int(shown, "Total", progress->total);
    show_int(shown, "Done", done);
    show_int(shown, "Left", progress->left);
    show_int(shown, "WaitingForReceivers", progress->down);
    show_text(shown, "Rate", rate);
    return shown;
}

static void finish_show(struct api_job *job)
{
    const struct maintenance_work *work = work_of(job);
    const struct maintenance *maintenance = &work->maintenance;
    bool any = maintenance->id != 0, whole = job->call->caller.kind == ACCOUNT_OPERATOR;
    json_t *shown = json_object();
    struct maintenance_progress progress;
    maintenance_progress(engine_services(job->api->engine)->pause, maintenance->id, &progress);
    if (!progress.known)
        progress.total = maintenance->backlog;
    show_text(shown, "State", maintenance_state_name(maintenance->state));
    show_id(shown, "Id", maintenance->id);
    show_text(shown, "Message", maintenance->message);
    show_date(shown, "StartDate", any ? maintenance->start_at : DATE_NONE);
    show_date(shown, "ExpectedEndDate", any ? maintenance->expected_end_at : DATE_NONE);
    show_date(shown, "StartedDate", any ? maintenance->started_at : DATE_NONE);
    show_date(shown, "EndDate", any ? maintenance->ended_at : DATE_NONE);
    show_int(shown, "Waiting", work->waiting);
    json_object_set_new(shown, "CatchUp", show_catchup(&progress, whole));
    call_json_answer(job->call, 200, shown);
}

static void show(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_show, finish_show)->api);
}
