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
#include "base/map.h"
#include "engine/sweep.h"
#include "store/samples.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECENT = 64,
    TALLIES_MOST = 1024, /* then the minute is written before it is over */
    RETRY_MS = 1000,
    SHARED_MS = 10000, /* servers that share a database see each other's counts after that */
    RATE_SECONDS = 10,
    RATE_SLOTS = 16, /* a power of two over them */
    AGE_FIRST_MS = 5000,
    AGE_EVERY_MS = 10 * 60 * 1000,
    AGE_REST_LEAST_MS = 1,
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
    struct work *work;
    const struct lateness_watch *lateness;
    struct periodic *timer; /* the end of the minute; or a try to write the one that is over */
    struct sweep *age;
    struct map open;              /* notification → struct tally */
    struct tally *recent[RECENT]; /* of `open`, by the id's low bits; else look there */
    int64_t opened_at;            /* the minute */
    struct closing *closing;      /* NULL: none */
    int64_t batch;                /* the last one's number: they rise, over restarts too */
    struct {
        int64_t second, delivered, failed;
    } rates[RATE_SLOTS];
};

static void close_minute(struct recorder *recorder);

/* ---- counting ---- */

static void await_end(struct recorder *recorder)
{
    int64_t left = recorder->opened_at + SERIES_MINUTE_MS - clock_wall_ms();
    int64_t most = membership_shared(recorder->work->membership) ? SHARED_MS : SERIES_MINUTE_MS;
    left = left < 0 ? 0 : left > most ? most : left;
    periodic_in(recorder->timer, left);
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

void recorder_touch(struct recorder *recorder, int64_t notification, int64_t account)
{
    tally_of(recorder, notification, account);
}

/* Why an attempt failed, as its postback's row tells it. */
static void error_keep(struct sample *sample, const struct attempt *attempt)
{
    char words[ATTEMPT_REASON_TEXT];
    attempt_reason(words, sizeof(words), attempt);
    sample_error(sample, attempt->started_at, words);
}

static void rate_count(struct recorder *recorder, int64_t at_us, bool delivered)
{
    int64_t second = at_us / 1000000;
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

void recorder_ended(struct recorder *recorder, const struct ended *ended)
{
    const struct postback *postback = ended->postback;
    const struct attempt *attempt = ended->attempt;
    bool delivered = ended->verdict == VERDICT_DELIVERED;
    struct sample *sample =
        &tally_of(recorder, postback->notification, postback->event->account)->sample;
    sample->delivered += delivered;
    sample->failed += !delivered;
    sample_count(sample, attempt->error != EXCHANGE_OK ? -(int)attempt->error : attempt->status, 1);
    if (!delivered)
        error_keep(sample, attempt);
    if (ended->latency_us >= 0)
        sample->latencies[histogram_bin(ended->latency_us)]++;
    rate_count(recorder, ended->at_us, delivered);
}

/* ---- asking ---- */

static bool is_of(int64_t account, int64_t notification, int64_t row_account,
                  int64_t row_notification)
{
    return (notification == 0 || notification == row_notification) &&
           (account == 0 || account == row_account);
}

void recorder_under_way(const struct recorder *recorder, int64_t account, int64_t notification,
                        struct under_way *out)
{
    const struct closing *closing = recorder->closing;
    const struct tally *tally;
    size_t at = 0;
    memset(out, 0, sizeof(*out));
    sample_clear(&out->open.sample);
    sample_clear(&out->closing.sample);
    out->open.at = recorder->opened_at;
    out->oldest_at = lateness_oldest(recorder->lateness, account, notification);
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
void recorder_rates(const struct recorder *recorder, struct recorder_rates *out)
{
    int64_t now = clock_steady_ms() / 1000, delivered = 0, failed = 0;
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
    struct service_job job;
    int64_t at, batch;
    struct sample_row *rows; /* its own: the loop reads those of `closing` meanwhile */
    size_t count;
};

static void read_counts(struct recorder *recorder);

static void close_failed(struct recorder *recorder)
{
    if (!recorder->work->stopping) {
        periodic_in(recorder->timer, RETRY_MS);
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
    struct recorder *recorder = work_done(job);
    free(close->rows);
    free(close);
    if (!ok) {
        close_failed(recorder);
        return;
    }
    free(recorder->closing);
    recorder->closing = NULL;
    if (recorder->work->stopping)
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
    struct recorder *recorder = work_done(job);
    if (!ok) {
        free(close->rows);
        free(close);
        close_failed(recorder);
        return;
    }
    for (size_t i = 0; i < close->count; i++) {
        struct sample_row *row = &close->rows[i];
        row->sample.oldest_at =
            lateness_oldest(recorder->lateness, row->account, row->notification);
    }
    struct close_job *write =
        work_add(recorder->work, recorder, sizeof(*write), write_run, write_done);
    struct service_job own = write->job;
    *write = *close;
    write->job = own;
    free(close);
    work_write(&write->job);
}

static void read_counts(struct recorder *recorder)
{
    const struct closing *closing = recorder->closing;
    struct close_job *job = work_add(recorder->work, recorder, sizeof(*job), read_run, read_done);
    job->at = closing->at;
    job->batch = recorder->batch;
    job->count = closing->count;
    job->rows = must_alloc(closing->count * sizeof(*job->rows));
    memcpy(job->rows, closing->rows, closing->count * sizeof(*job->rows));
    work_read(&job->job);
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
    periodic_rest(recorder->timer);
    read_counts(recorder);
}

void recorder_finish(struct recorder *recorder)
{
    if (recorder != NULL)
        close_minute(recorder);
}

/* ---- growing old ---- */

static bool age_step(struct job *job, struct db *db, void *state, const struct sweep_times *times)
{
    (void)job;
    (void)state;
    int64_t hours_until = times->now_ms - SERIES_HOURS_DAYS * (int64_t)SERIES_DAY_MS;
    return samples_age(db, series_minutes_since(times->now_ms), hours_until, AGE_STEP) >= AGE_STEP;
}

/* ---- life ---- */

static void minute_over(void *context)
{
    struct recorder *recorder = context;
    if (recorder->closing != NULL) /* it could not be read or written */
        read_counts(recorder);
    else
        close_minute(recorder);
}

struct recorder *recorder_new(struct work *work, const struct lateness_watch *lateness)
{
    static const struct sweep_rule age = {
        .first_ms = AGE_FIRST_MS,
        .every_ms = AGE_EVERY_MS,
        .rest_ms = AGE_REST_LEAST_MS,
        .share = AGE_SHARE,
        .step = age_step,
    };
    struct recorder *recorder = must_alloc(sizeof(*recorder));
    *recorder = (struct recorder){ .work = work, .lateness = lateness, .batch = clock_due_ms() };
    recorder->timer = periodic_new(&work->timers, 0, minute_over, recorder);
    recorder->age = sweep_new(work, &age, SERIES_DAY_MS);
    return recorder;
}

void recorder_free(struct recorder *recorder)
{
    struct tally *tally;
    size_t at = 0;
    if (recorder == NULL)
        return;
    while ((tally = map_each(&recorder->open, &at)) != NULL)
        free(tally);
    map_free(&recorder->open);
    free(recorder->closing);
    periodic_free(recorder->timer);
    sweep_free(recorder->age);
    free(recorder);
}
