/* notification_health.c — GET …/{Id}/Health: how an event notification fares, why and since when.
 *
 * What the log and the samples say comes from a read job; what the recorder has in memory is copied
 * before it is given, as for a series (series.c), and what the lane knows is asked at the end.
 */
#include "api/notifications.h"

#include "base/clock.h"
#include "base/fail.h"
#include "engine/lateness.h"
#include "engine/recorder.h"
#include "engine/waits.h"
#include "model/date.h"
#include "model/show.h"
#include "store/episodes.h"
#include "store/postbacks.h"
#include "store/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct health_work {
    struct notification_work own;
    struct under_way under_way;
    int64_t now;
    struct sample hour; /* its error: the last there was, whenever */
};

static struct health_work *health_of(struct api_job *job)
{
    return (struct health_work *)job;
}

/* ---- the last hour ---- */

static void hour_read(struct health_work *work, struct db *db)
{
    const struct under_way *under_way = &work->under_way;
    int64_t account = work->own.api.call->caller.account, batch = samples_batch(db);
    int64_t from = series_minute_of(work->now - SERIES_HOUR_MS);
    struct series series;
    struct sample before;
    sample_clear(&work->hour);
    series_new(&series, from, work->now, work->now, SERIES_HOUR_MS / SERIES_MINUTE_MS + 1);
    samples_read(db, account, work->own.id, &series, &before);
    if (batch < under_way->batch)
        series_put(&series, under_way->closing.at, &under_way->closing.sample);
    if (batch <= under_way->batch)
        series_put(&series, under_way->open.at, &under_way->open.sample);
    for (size_t i = 0; i < series.count; i++) {
        if (series.from + (int64_t)i * series.step >= from)
            sample_add(&work->hour, &series.samples[i]);
    }
    series_free(&series);
    samples_last_error(db, account, work->own.id, &work->hour);
}

static void show_latency(json_t *shown, const char *name, const struct sample *sample, double q)
{
    char text[32] = "";
    int64_t us = sample_latency_us(sample, q);
    if (us > 0)
        snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
    show_text(shown, name, text);
}

static int most_first(const void *a, const void *b)
{
    const struct sample_code *left = a, *right = b;
    return (left->count < right->count) - (left->count > right->count);
}

static json_t *codes_show(const struct sample *sample, int64_t *attempts)
{
    struct sample whole = *sample;
    json_t *list = json_array();
    qsort(whole.codes, SAMPLE_CODES + 1, sizeof(whole.codes[0]), most_first);
    *attempts = 0;
    for (size_t i = 0; i <= SAMPLE_CODES && whole.codes[i].count > 0; i++) {
        int code = whole.codes[i].code;
        json_t *shown = json_object();
        show_id(shown, "Status", code > 0 ? code : 0);
        show_text(shown, "Error",
                  code < 0 ? exchange_error_name((enum exchange_error) - code) : "");
        show_int(shown, "Attempts", whole.codes[i].count);
        json_array_append_new(list, shown);
        *attempts += whole.codes[i].count;
    }
    return list;
}

static json_t *hour_show(const struct sample *sample)
{
    json_t *shown = json_object();
    int64_t attempts;
    char rate[32] = "";
    json_t *codes = codes_show(sample, &attempts);
    if (attempts > 0)
        snprintf(rate, sizeof(rate), "%.1f", (double)sample->failed * 100 / (double)attempts);
    show_int(shown, "Attempts", attempts);
    show_int(shown, "Failed", sample->failed);
    show_text(shown, "ErrorPercentage", rate);
    show_latency(shown, "LatencyP50", sample, 0.5);
    show_latency(shown, "LatencyP99", sample, 0.99);
    json_object_set_new(shown, "Outcomes", codes);
    return shown;
}

/* ---- trouble ---- */

static void show_trouble(const struct notification_work *work, struct db *db, json_t *shown)
{
    struct overdue overdue;
    episode_overdue(db, work->id, &overdue);
    bool counts = work->notification->state == NOTIFICATION_ACTIVE;
    enum lateness lateness =
        lateness_of(lateness_limits(engine_services(work->api.api->engine)->lateness),
                    counts ? overdue.due_at : -1, db_due_now(db));
    int64_t since = episode_since(db, work->id, EPISODE_FAILING);
    show_text(shown, "Lateness", lateness_name(lateness));
    show_date(shown, "OldestPendingDate", overdue.due_at == -1 ? DATE_NONE : overdue.due_at);
    show_bool(shown, "Failing", since != -1);
    show_date(shown, "FailingSinceDate", since == -1 ? DATE_NONE : since);
}

static void show_error(json_t *shown, const struct sample *sample)
{
    struct buf words = { 0 };
    bool known = sample->error_at != -1;
    if (known)
        attempt_reason_words(&words, sample->error);
    show_text(shown, "LastError", known ? sample->error : "");
    show_text(shown, "LastErrorText", known ? buf_text(&words) : "");
    show_date(shown, "LastErrorDate", known ? sample->error_at : DATE_NONE);
    buf_free(&words);
}

/* What the lane knows; another server's lane is not asked, and then the queue tells when the next
 * is due. */
static void show_probe(const struct health_work *work, json_t *shown)
{
    struct wait_facts facts = { 0 };
    int64_t due = DATE_NONE;
    waits_look(engine_services(work->own.api.api->engine)->waits, work->own.id, &facts);
    const char *text = json_string_value(json_object_get(shown, "OldestDueDate"));
    bool failing =
        work->hour.error_at != -1 && work->own.notification->state == NOTIFICATION_ACTIVE;
    if (facts.down)
        due = facts.probe_at;
    else if (!failing || text == NULL || !date_parse(text, &due) || due < work->now)
        due = DATE_NONE;
    show_date(shown, "DownSinceDate", facts.down ? facts.down_since : DATE_NONE);
    show_date(shown, "NextProbeDate", due);
}

/* ---- the call ---- */

static bool run_health(struct api_job *job, struct db *db)
{
    struct health_work *work = health_of(job);
    struct notification_work *own = &work->own;
    if (!notification_work_load(own, db))
        return false;
    job->shown = postback_health(db, job->call->caller.account, own->id);
    if (job->shown == NULL)
        return false;
    show_id(job->shown, "Id", own->id);
    show_text(job->shown, "State", notification_state_name(own->notification->state));
    show_text(job->shown, "HeldReason", own->notification->held_reason);
    show_trouble(own, db, job->shown);
    hour_read(work, db);
    json_object_set_new(job->shown, "LastHour", hour_show(&work->hour));
    show_error(job->shown, &work->hour);
    return true;
}

static void finish_health(struct api_job *job)
{
    show_probe(health_of(job), job->shown);
    api_job_show(job);
}

void notification_health(struct call *call, void *context)
{
    struct health_work *work = (struct health_work *)notification_work_sized(
        sizeof(*work), call, context, NULL, run_health, finish_health);
    if (work == NULL)
        return;
    work->now = clock_wall_ms();
    recorder_under_way(engine_services(work->own.api.api->engine)->recorder, call->caller.account,
                       work->own.id, &work->under_way);
    api_read(&work->own.api);
}
