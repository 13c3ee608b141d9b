/* series.c — GET …/Series: what was delivered, what failed and how late it is, for a chart.
 *
 * A read job takes what is on disk; what is under way in memory is copied before it is given, and
 * put on top in the end.  So the minute that is being written is in both or neither: the number of
 * its batch tells (engine/recorder.h).
 */
#include "api/api.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "engine/recorder.h"
#include "model/date.h"
#include "model/show.h"
#include "store/ledger.h"
#include "store/notifications.h"
#include "store/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { POINTS_DEFAULT = 120, POINTS_MOST = 1000 };

struct series_work {
    struct api_job api;
    int64_t account, notification; /* 0: all */
    int64_t now, until;
    struct series series;
    struct under_way under_way;
    struct sample before;
    int64_t pending, batch; /* now; on disk */
};

static struct series_work *work_of(struct api_job *job)
{
    return (struct series_work *)job;
}

static void clear_work(struct api_job *job)
{
    series_free(&work_of(job)->series);
}

/* ---- the span ---- */

static void span_choose(struct series_work *work)
{
    struct call *call = work->api.call;
    struct problems *problems = &work->api.problems;
    const char *given = call_query(call, "Points");
    int64_t points = POINTS_DEFAULT, from, until;
    if (given[0] != '\0' && !text_int(given, 1, POINTS_MOST, &points))
        problems_add(problems, "Points", "must be a number from 1 to %d", POINTS_MOST);
    span_read(call, "Start", "End", &from, &until, problems);
    if (until == DATE_NONE || until > work->now)
        until = work->now;
    if (from == DATE_NONE)
        from = until - points * SERIES_MINUTE_MS;
    if (problems->count == 0 && from >= until)
        problems_add(problems, "Start",
                     "must not be in the future; a day alone is that day in UTC");
    if (problems->count > 0)
        return;
    work->until = until;
    series_new(&work->series, from, until, work->now, (size_t)points);
}

/* ---- reading ---- */

static bool is_theirs(struct series_work *work, struct db *db)
{
    if (work->notification == 0 || notification_exists(db, work->account, work->notification))
        return true;
    error_set(&work->api.job.error, ERROR_NOT_FOUND, "There is no such event notification.");
    return false;
}

static bool run(struct api_job *job, struct db *db)
{
    struct series_work *work = work_of(job);
    if (!is_theirs(work, db))
        return false;
    work->batch = samples_batch(db);
    samples_read(db, work->account, work->notification, &work->series, &work->before);
    work->pending = ledger_pending(db, work->account, work->notification);
    return true;
}

/* On top of what is on disk. */
static void put_rest(struct series_work *work)
{
    const struct under_way *under_way = &work->under_way;
    struct sample present;
    if (work->batch < under_way->batch)
        series_put(&work->series, under_way->closing.at, &under_way->closing.sample);
    if (work->batch <= under_way->batch)
        series_put(&work->series, under_way->open.at, &under_way->open.sample);
    sample_clear(&present);
    present.pending = work->pending;
    present.oldest_at = under_way->oldest_at;
    series_put(&work->series, work->now, &present);
    series_fill(&work->series, &work->before);
}

/* ---- showing ---- */

static void show_ms(json_t *point, const char *name, const struct sample *sample, double q)
{
    char text[32] = "";
    int64_t us = sample_latency_us(sample, q);
    if (us > 0)
        snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
    show_text(point, name, text);
}

static json_t *point_show(const struct series_work *work, size_t at)
{
    const struct series *series = &work->series;
    const struct sample *sample = &series->samples[at];
    json_t *point = json_object();
    show_date(point, "Time", series->from + (int64_t)at * series->step);
    show_int(point, "Delivered", sample->delivered);
    show_int(point, "Failed", sample->failed);
    show_ms(point, "LatencyP50", sample, 0.5);
    show_ms(point, "LatencyP99", sample, 0.99);
    show_int(point, "Pending", sample->pending);
    show_int(point, "OldestPendingSeconds", series_oldest_s(series, at, work->now));
    return point;
}

static void finish(struct api_job *job)
{
    struct series_work *work = work_of(job);
    json_t *body = json_object(), *points = json_array();
    put_rest(work);
    for (size_t i = 0; i < work->series.count; i++)
        json_array_append_new(points, point_show(work, i));
    show_date(body, "Start", work->series.from);
    show_date(body, "End", work->until);
    show_int(body, "Step", work->series.step / 1000);
    json_object_set_new(body, "Points", points);
    call_json_answer(job->call, 200, body);
}

static void show(struct call *call, struct api *api, int64_t account, int64_t notification)
{
    static const char *const names[] = { "Start", "End", "Points", NULL };
    struct series_work *work = api_job_new(sizeof(*work), call, api, run, finish, clear_work);
    work->account = account;
    work->notification = notification;
    work->now = clock_wall_ms();
    call_query_only(call, names, &work->api.problems);
    span_choose(work);
    if (!api_job_valid(&work->api))
        return;
    recorder_under_way(engine_services(api->engine)->recorder, account, notification,
                       &work->under_way);
    api_read(&work->api);
}

static void of_account(struct call *call, void *context)
{
    show(call, context, call->caller.account, 0);
}

static void of_notification(struct call *call, void *context)
{
    int64_t id;
    if (id_parse(call->params[1], &id) && id != 0)
        show(call, context, call->caller.account, id);
    else
        call_refuse(call, 404, NULL, "There is no such event notification.");
}

static void of_all(struct call *call, void *context)
{
    show(call, context, 0, 0);
}

#define READS   (SCOPE_API | SCOPE_READ)
#define PARTNER "/Mediapartners/{SID}"
#define BRAND   "/Advertisers/{SID}"

const struct route series_routes[] = {
    { "GET", PARTNER "/Series", of_account, PARTNERS, READS, COUNTED, 0, .reads_query = true },
    { "GET", PARTNER "/EventNotifications/{Id}/Series", of_notification, PARTNERS, READS, COUNTED,
      0, .reads_query = true },
    { "GET", BRAND "/Series", of_account, BRANDS, READS, COUNTED, 0, .reads_query = true },
    { "GET", BRAND "/EventNotifications/{Id}/Series", of_notification, BRANDS, READS, COUNTED, 0,
      .reads_query = true },
    { "GET", "/Operator/Series", of_all, ACCOUNT_OPERATOR, READS, COUNTED, 0, .reads_query = true },
};
const size_t series_route_count = sizeof(series_routes) / sizeof(series_routes[0]);
