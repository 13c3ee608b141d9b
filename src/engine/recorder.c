/* recorder.c — the minute under way in memory, the one before it on its way to disk.
 *
 * `open` has a tally for each notification that did something in the minute; the timer runs only
 * while there is one.  A minute that is over (or has too many tallies) is closed: its rows go to a
 * reader, which adds what is pending and the sums of accounts and of all, and then to the writer.
 * They stay in `closing` until that is committed, so that a reader of the series always has either
 * them or the rows on disk: the batch's number, written with the rows, tells which.
 *
 * The rule: one minute is being closed at a time.  While the store takes no writes the open one
 * goes on, and counts for the minute in which it began.
 */
#include "engine/recorder.h"

#include "base/clock.h"
#include "base/fail.h"
#include "engine/state.h"
#include "store/samples.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECENT = 64,
    TALLIES_MOST = 1024, /* then the minute is written before it is over */
    RETRY_MS = 1000,
    RATE_SECONDS = 10,
    RATE_SLOTS = 16, /* a power of two over them */
    AGE_FIRST_MS = 5000,
    AGE_EVERY_MS = 10 * 60 * 1000,
    AGE_REST_MOST_MS = 1000,
    AGE_STEP = 8,   /* hours made or deleted by a step */
    AGE_SHARE = 10, /* one part in so many of the writer's time */
};

struct tally {
    int64_t notification;
    int64_t account; /* 0: it has no counts */
    struct sample sample;
};

struct closing {
    int64_t at;
    size_t count;
    struct sample_row rows[];
};

struct recorder {
    struct engine *engine;
    uv_timer_t timer, age_timer;
    struct map open;              /* notification → struct tally */
    struct tally *recent[RECENT]; /* of `open`, by the id's low bits; else look there */
    int64_t opened_at;            /* the minute */
    struct closing *closing;      /* NULL: none */
    int64_t batch;                /* the last one's number: they rise, over restarts too */
    struct {
        int64_t second, delivered, failed;
    } rates[RATE_SLOTS];
    int64_t wall_ms, steady_ms; /* when it started */
};

static void close_minute(struct recorder *recorder);

/* ---- counting ---- */

static void minute_over(uv_timer_t *timer)
{
    close_minute(timer->data);
}

static void await_end(struct recorder *recorder)
{
    int64_t left = recorder->opened_at + SERIES_MINUTE_MS - clock_wall_ms();
    left = left < 0 ? 0 : left > SERIES_MINUTE_MS ? SERIES_MINUTE_MS : left;
    if (!recorder->engine->work.stopping)
        uv_timer_start(&recorder->timer, minute_over, (uint64_t)left, 0);
}

static struct tally *tally_new(struct recorder *recorder, int64_t notification)
{
    if (recorder->open.count >= TALLIES_MOST)
        close_minute(recorder);
    if (recorder->open.count == 0) {
        recorder->opened_at = series_minute_of(clock_wall_ms());
        if (recorder->closing == NULL) /* else the end of that one sees to it */
            await_end(recorder);
    }
    struct tally *tally = must_alloc(sizeof(*tally));
    tally->notification = notification;
    sample_clear(&tally->sample);
    map_put(&recorder->open, notification, tally);
    return tally;
}

/* A look at the map would be most of what counting costs. */
static struct tally *tally_of(struct recorder *recorder, int64_t notification, int64_t account)
{
    size_t place = (size_t)notification % RECENT;
    struct tally *tally = recorder->recent[place];
    if (tally == NULL || tally->notification != notification) {
        tally = map_get(&recorder->open, notification);
        if (tally == NULL)
            tally = tally_new(recorder, notification);
        recorder->recent[place] = tally;
    }
    if (account != 0)
        tally->account = account;
    return tally;
}

void recorder_touch(struct engine *engine, int64_t notification, int64_t account)
{
    tally_of(engine->recorder, notification, account);
}

static void rate_count(struct recorder *recorder, bool delivered)
{
    int64_t second = (int64_t)uv_now(recorder->engine->loop) / 1000;
    size_t slot = (size_t)second % RATE_SLOTS;
    if (recorder->rates[slot].second != second) {
        recorder->rates[slot].second = second;
        recorder->rates[slot].delivered = recorder->rates[slot].failed = 0;
    }
    if (delivered)
        recorder->rates[slot].delivered++;
    else
        recorder->rates[slot].failed++;
}

void recorder_attempted(struct engine *engine, int64_t notification, int64_t account,
                        bool delivered, int64_t latency_us)
{
    struct sample *sample = &tally_of(engine->recorder, notification, account)->sample;
    sample->delivered += delivered;
    sample->failed += !delivered;
    if (latency_us >= 0)
        sample->latencies[histogram_bin(latency_us)]++;
    rate_count(engine->recorder, delivered);
}

/* ---- asking ---- */

static bool is_of(int64_t account, int64_t notification, int64_t row_account,
                  int64_t row_notification)
{
    return (notification == 0 || notification == row_notification) &&
           (account == 0 || account == row_account);
}

void engine_under_way(const struct engine *engine, int64_t account, int64_t notification,
                      struct under_way *out)
{
    const struct recorder *recorder = engine->recorder;
    const struct closing *closing = recorder->closing;
    const struct tally *tally;
    size_t at = 0;
    memset(out, 0, sizeof(*out));
    sample_clear(&out->open.sample);
    sample_clear(&out->closing.sample);
    out->open.at = recorder->opened_at;
    out->oldest_at = lateness_oldest(engine->services.lateness, account, notification);
    while ((tally = map_each(&recorder->open, &at)) != NULL) {
        if (is_of(account, notification, tally->account, tally->notification))
            sample_add(&out->open.sample, &tally->sample);
    }
    out->batch = recorder->batch;
    if (closing == NULL)
        return;
    out->closing.at = closing->at;
    for (size_t i = 0; i < closing->count; i++) {
        if (is_of(account, notification, closing->rows[i].account, closing->rows[i].notification))
            sample_add(&out->closing.sample, &closing->rows[i].sample);
    }
}

/* Of whole seconds: the one under way is left out. */
void engine_rates(const struct engine *engine, struct engine_rates *out)
{
    const struct recorder *recorder = engine->recorder;
    int64_t now = (int64_t)uv_now(engine->loop) / 1000, delivered = 0, failed = 0;
    for (size_t i = 0; i < RATE_SLOTS; i++) {
        int64_t second = recorder->rates[i].second;
        if (second >= now || second < now - RATE_SECONDS)
            continue;
        delivered += recorder->rates[i].delivered;
        failed += recorder->rates[i].failed;
    }
    out->delivered = (double)delivered / RATE_SECONDS;
    out->failed = (double)failed / RATE_SECONDS;
}

/* ---- writing a minute ---- */

struct close_job {
    struct engine_job job;
    int64_t at, batch;
    struct sample_row *rows; /* its own: the loop reads those of `closing` meanwhile */
    size_t count;
};

static void read_counts(struct recorder *recorder);

static void retry(uv_timer_t *timer)
{
    read_counts(timer->data);
}

static void close_failed(struct recorder *recorder)
{
    if (!recorder->engine->work.stopping) {
        uv_timer_start(&recorder->timer, retry, RETRY_MS, 0);
        return;
    }
    free(recorder->closing); /* a stop does not wait for a full disk */
    recorder->closing = NULL;
}

static bool write_run(struct job *job, struct db *db)
{
    struct close_job *close = (struct close_job *)job;
    samples_write(db, close->at, close->rows, close->count, close->batch);
    return true;
}

static void write_done(struct job *job, bool ok)
{
    struct close_job *close = (struct close_job *)job;
    struct recorder *recorder = engine_job_done(job)->recorder;
    free(close->rows);
    free(close);
    if (!ok) {
        close_failed(recorder);
        return;
    }
    free(recorder->closing);
    recorder->closing = NULL;
    if (recorder->engine->work.stopping)
        close_minute(recorder);
    else if (recorder->open.count > 0)
        await_end(recorder);
}

static bool read_run(struct job *job, struct db *db)
{
    struct close_job *close = (struct close_job *)job;
    samples_complete(db, &close->rows, &close->count);
    return true;
}

static void read_done(struct job *job, bool ok)
{
    struct close_job *close = (struct close_job *)job;
    struct engine *engine = engine_job_done(job);
    if (!ok) {
        free(close->rows);
        free(close);
        close_failed(engine->recorder);
        return;
    }
    for (size_t i = 0; i < close->count; i++) {
        struct sample_row *row = &close->rows[i];
        row->sample.oldest_at =
            lateness_oldest(engine->services.lateness, row->account, row->notification);
    }
    struct close_job *write = engine_job_new(engine, sizeof(*write), write_run, write_done);
    struct engine_job own = write->job;
    *write = *close;
    write->job = own;
    free(close);
    store_write(engine->store, &write->job.job);
}

static void read_counts(struct recorder *recorder)
{
    const struct closing *closing = recorder->closing;
    struct close_job *job = engine_job_new(recorder->engine, sizeof(*job), read_run, read_done);
    job->at = closing->at;
    job->batch = recorder->batch;
    job->count = closing->count;
    job->rows = must_alloc(closing->count * sizeof(*job->rows));
    memcpy(job->rows, closing->rows, closing->count * sizeof(*job->rows));
    store_read(recorder->engine->store, &job->job.job);
}

static void take_tallies(struct recorder *recorder, struct closing *closing)
{
    struct tally *tally;
    size_t at = 0;
    while ((tally = map_each(&recorder->open, &at)) != NULL) {
        struct sample_row *row = &closing->rows[closing->count++];
        *row = (struct sample_row){ tally->account, tally->notification, tally->sample };
        free(tally);
    }
    map_free(&recorder->open);
    memset(recorder->recent, 0, sizeof(recorder->recent));
}

static void close_minute(struct recorder *recorder)
{
    if (recorder->closing != NULL || recorder->open.count == 0)
        return;
    struct closing *closing =
        must_alloc(sizeof(*closing) + recorder->open.count * sizeof(closing->rows[0]));
    closing->at = recorder->opened_at;
    int64_t now = clock_due_ms();
    recorder->batch = now > recorder->batch ? now : recorder->batch + 1;
    take_tallies(recorder, closing);
    recorder->closing = closing;
    uv_timer_stop(&recorder->timer);
    read_counts(recorder);
}

void recorder_finish(struct engine *engine)
{
    close_minute(engine->recorder);
}

/* ---- growing old ---- */

struct age_job {
    struct engine_job job;
    int64_t now_ms, took_us;
    size_t did;
};

static void age(uv_timer_t *timer);

static void age_in(struct recorder *recorder, int64_t ms)
{
    if (recorder->engine->work.stopping)
        return;
    uv_timer_start(&recorder->age_timer, age, (uint64_t)ms, 0);
}

static bool age_run(struct job *job, struct db *db)
{
    struct age_job *step = (struct age_job *)job;
    int64_t start_us = clock_steady_us();
    step->did = samples_age(db, series_minutes_since(step->now_ms),
                            step->now_ms - SERIES_HOURS_DAYS * (int64_t)SERIES_DAY_MS, AGE_STEP);
    step->took_us = clock_steady_us() - start_us;
    return true;
}

static void age_done(struct job *job, bool ok)
{
    struct age_job *step = (struct age_job *)job;
    struct recorder *recorder = engine_job_done(job)->recorder;
    int64_t rest = step->took_us * (AGE_SHARE - 1) / 1000 + 1;
    bool more = !ok || step->did >= AGE_STEP;
    age_in(recorder, !more                           ? AGE_EVERY_MS
                     : ok && rest < AGE_REST_MOST_MS ? rest
                                                     : AGE_REST_MOST_MS);
    free(step);
}

/* Time here never runs faster than the steady clock: a wall clock that jumps ahead deletes nothing.
 */
static void age(uv_timer_t *timer)
{
    struct recorder *recorder = timer->data;
    struct engine *engine = recorder->engine;
    if (engine->work.stopping)
        return;
    if (!engine->work.writable) {
        age_in(recorder, AGE_EVERY_MS);
        return;
    }
    struct age_job *step = engine_job_new(engine, sizeof(*step), age_run, age_done);
    int64_t most = recorder->wall_ms + clock_steady_ms() - recorder->steady_ms;
    step->now_ms = clock_wall_ms();
    step->now_ms = step->now_ms < most ? step->now_ms : most;
    store_write(engine->store, &step->job.job);
}

/* ---- life ---- */

void recorder_start(struct engine *engine)
{
    struct recorder *recorder = must_alloc(sizeof(*recorder));
    *recorder = (struct recorder){ .engine = engine,
                                   .batch = clock_due_ms(),
                                   .wall_ms = clock_wall_ms(),
                                   .steady_ms = clock_steady_ms() };
    engine->recorder = recorder;
    uv_timer_init(engine->loop, &recorder->timer);
    uv_timer_init(engine->loop, &recorder->age_timer);
    recorder->timer.data = recorder->age_timer.data = recorder;
    uv_unref((uv_handle_t *)&recorder->timer);
    uv_unref((uv_handle_t *)&recorder->age_timer);
    age_in(recorder, AGE_FIRST_MS);
}

void recorder_stop(struct engine *engine)
{
    uv_close((uv_handle_t *)&engine->recorder->timer, NULL);
    uv_close((uv_handle_t *)&engine->recorder->age_timer, NULL);
}

void recorder_free(struct engine *engine)
{
    struct recorder *recorder = engine->recorder;
    struct tally *tally;
    size_t at = 0;
    while ((tally = map_each(&recorder->open, &at)) != NULL)
        free(tally);
    map_free(&recorder->open);
    free(recorder->closing);
    free(recorder);
}
