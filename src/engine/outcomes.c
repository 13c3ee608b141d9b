/* outcomes.c — what happened to postbacks, on its way to disk in batches.
 *
 * Outcomes of one turn of the loop become one write job, so that they ride the next group commit
 * together.  A postback stays held until its outcome is committed.  When the commit fails the
 * outcomes go back to the head of the queue and are tried again when the store takes writes: an
 * attempt that was made is never forgotten while the program lives.
 *
 * Once a second those that are out for long get their rows by a job of its own, which keeps its own
 * names of them: a postback may end, and be freed, before the job has run.  Whichever of the two
 * writes first, the other one finds the row.
 *
 * Beside the outcomes, or alone when none has come for long, the job writes the floor, so that
 * recovery after a crash looks at few events.  What stays queued is aged (made WAITING) to keep it
 * rising.  Where the database is shared the floor of an idle server rises too, since others wait
 * for it: the job draws an id, below which all has come to memory once it is done.
 */
#include "engine/outcomes.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/metrics.h"
#include "store/accounts.h"
#include "store/direct.h"
#include "store/ledger.h"
#include "store/notifications.h"
#include "store/postbacks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH_MOST = 512,
    SHOWN_AFTER_MS = 1000,
    AGED_AFTER_MS = 10000,
    FLOOR_EVERY_MS = 1000,
    FLOOR_ALONE_MS = 10000, /* with no outcome that it could ride with */
    FLOOR_SHARED_MS = 2000, /* … where others wait for it */
};

struct outcome {
    struct list in;
    enum outcome_kind kind;
    enum verdict verdict;
    struct postback *postback;
    struct attempt attempt;
    int64_t notification;
    int64_t due_at; /* as written */
    int64_t added;  /* of a record that has begun */
    bool tell;      /* it waits, and another server sends it then */
};

struct outcomes {
    struct outcomes_config config;
    struct list fresh;       /* postbacks straight from commits, oldest first */
    struct periodic *show;   /* when the next of them is out for long */
    int64_t shown;           /* ids up to this have their rows */
    int64_t newest;          /* of what commits brought: none that is unknown is below it */
    struct list waiting;     /* struct outcome: not yet given to the writer */
    size_t count, recording; /* of those; of those given */
    int64_t floor, floor_at; /* last written, and when (steady ms) */
};

struct outcome_job {
    struct service_job job;
    struct list outcomes;
    int64_t floor;  /* 0: not written this time */
    bool shared;    /* others wait for the floor */
    int64_t newest; /* what commits have brought before it is done */
};

void outcomes_add(struct outcomes *outcomes, enum outcome_kind kind, struct postback *postback,
                  struct attempt *attempt, enum verdict verdict)
{
    struct outcome *outcome = must_alloc(sizeof(*outcome));
    outcome->kind = kind;
    outcome->verdict = verdict;
    outcome->postback = postback;
    outcome->notification = postback->notification;
    outcome->due_at = postback->due_at;
    if (attempt != NULL)
        outcome->attempt = *attempt;
    list_append(&outcomes->waiting, &outcome->in);
    outcomes->count++;
}

/* Settings that were changed meanwhile lead elsewhere: what the old ones led to says nothing about
 * them, and a 410 there holds them with the next attempt. */
static void write_gone(struct db *db, const struct outcome *outcome)
{
    static const char reason[] = "The receiver answered 410 Gone";
    int64_t account;
    if (!notification_hold(db, outcome->notification, outcome->attempt.revision, reason, &account))
        return;
    struct notification *held = notification_load(db, 0, outcome->notification, 0);
    char page[40];
    struct buf text = { 0 };
    buf_str(&text, "The event notification ");
    if (held != NULL)
        notification_title(&text, held);
    buf_str(&text, " is held: its receiver answered that it is gone (410). Its postbacks are kept; "
                   "resume it when the receiver is back, or change its URL.");
    snprintf(page, sizeof(page), "/notifications/%" PRId64, outcome->notification);
    notice_add_about(db, account, "notification.held", buf_text(&text), page);
    buf_free(&text);
    notification_unref(held);
}

/* What tells whether each of them was there is waited for once. */
static void begin_records(struct outcome_job *batch, struct db *db)
{
    for (struct list *node = batch->outcomes.next; node != &batch->outcomes; node = node->next) {
        struct outcome *outcome = container_of(node, struct outcome, in);
        if (outcome->kind == OUTCOME_ATTEMPTED)
            postback_record_begin(db, outcome->postback, &outcome->attempt, outcome->verdict,
                                  outcome->due_at, &outcome->added);
    }
    db_await(db);
}

static bool outcomes_run(struct job *job, struct db *db)
{
    struct outcome_job *batch = (struct outcome_job *)job;
    begin_records(batch, db);
    for (struct list *node = batch->outcomes.next; node != &batch->outcomes; node = node->next) {
        struct outcome *outcome = container_of(node, struct outcome, in);
        if (outcome->kind == OUTCOME_ATTEMPTED)
            postback_record_end(db, outcome->postback, &outcome->attempt, outcome->verdict,
                                outcome->due_at, outcome->added);
        else
            postback_park(db, outcome->postback);
        if (outcome->kind == OUTCOME_ATTEMPTED && outcome->verdict == VERDICT_GONE)
            write_gone(db, outcome);
        if (outcome->tell)
            ledger_wait(db, outcome->notification, outcome->postback->event->account,
                        outcome->due_at);
    }
    if (batch->floor != 0)
        direct_set_floor(db, batch->floor);
    if (batch->floor != 0 && batch->shared)
        batch->newest = db_new_id(db);
    return true;
}

/* Of an aged one: age(). */
static void free_name(struct postback *name)
{
    list_remove(&name->fresh);
    postback_free(name);
}

static void settle(struct outcomes *outcomes, struct outcome *outcome)
{
    bool aged = outcome->kind == OUTCOME_AGED;
    struct settled settled = {
        .kind = outcome->kind,
        .verdict = outcome->verdict,
        .account = outcome->postback->event->account,
        .notification = outcome->notification,
        .id = outcome->postback->id,
        .due_at = outcome->due_at,
        .postback = aged ? NULL : outcome->postback,
    };
    if (aged)
        free_name(outcome->postback);
    if (outcome->kind == OUTCOME_ATTEMPTED)
        metric_add(METRIC_RECORDED, 1);
    outcomes->config.settled(outcomes->config.context, &settled);
    attempt_free(&outcome->attempt);
    free(outcome);
}

static void outcomes_done(struct job *job, bool ok)
{
    struct outcome_job *batch = (struct outcome_job *)job;
    struct outcomes *outcomes = work_done(job);
    struct list *node;
    if (!ok)
        outcomes->floor = 0;
    else
        outcomes_seen(outcomes, batch->newest);
    while ((node = ok ? list_first(&batch->outcomes) : NULL) != NULL) {
        list_remove(node);
        outcomes->recording--;
        settle(outcomes, container_of(node, struct outcome, in));
    }
    while (!list_empty(&batch->outcomes)) { /* failed: back to the head, in order */
        node = batch->outcomes.prev;
        list_remove(node);
        list_prepend(&outcomes->waiting, node);
        outcomes->count++;
        outcomes->recording--;
    }
    free(batch);
}

/* The real one may end before that is on disk: until then a name of it stands among the fresh ones
 * in its place, so that no floor is written above its event. */
static void age(struct outcomes *outcomes, struct postback *postback)
{
    struct postback *name = postback_new();
    *name = (struct postback){ .id = postback->id,
                               .notification = postback->notification,
                               .event = event_ref(postback->event),
                               .due_at = postback->due_at,
                               .written = postback->written,
                               .waiting = true };
    list_append(&postback->fresh, &name->fresh);
    list_remove(&postback->fresh);
    postback->waiting = true;
    outcomes_add(outcomes, OUTCOME_AGED, name, NULL, VERDICT_FAILED);
}

static bool may_wait(const struct outcomes *outcomes, const struct postback *postback)
{
    return outcomes->config.may_wait == NULL ||
           outcomes->config.may_wait(outcomes->config.context, postback);
}

/* Those that have been queued for very long become WAITING where they are. */
static void age_fresh(struct outcomes *outcomes)
{
    int64_t old = id_first_at(clock_due_ms() - AGED_AFTER_MS);
    struct list *node = outcomes->fresh.next;
    for (int i = 0; i < BATCH_MOST && node != &outcomes->fresh; i++) {
        struct postback *postback = container_of(node, struct postback, fresh);
        if (postback->id >= old)
            return;
        node = node->next;
        if (!postback->waiting && may_wait(outcomes, postback)) /* else it is a name */
            age(outcomes, postback);
    }
}

/* What has its row since its commit (of a fan-out's later steps) has an event that may be far
 * older.
 */
static int64_t floor_for(const struct postback *postback)
{
    return postback->written ? postback->id : postback->event->id;
}

static int64_t floor_now(const struct outcomes *outcomes)
{
    struct list *oldest = list_first(&outcomes->fresh);
    return oldest != NULL ? floor_for(container_of(oldest, struct postback, fresh))
                          : outcomes->newest + 1;
}

/* ---- rows for those that are out for long ---- */

struct show_job {
    struct service_job job;
    int64_t upto;
    size_t count;
    struct direct rows[];
};

static bool show_run(struct job *job, struct db *db)
{
    const struct show_job *show = (struct show_job *)job;
    for (size_t i = 0; i < show->count; i++)
        direct_write(db, &show->rows[i], POSTBACK_FRESH);
    return true;
}

static void show_done(struct job *job, bool ok)
{
    struct show_job *show = (struct show_job *)job;
    struct outcomes *outcomes = work_done(job);
    periodic_done(outcomes->show);
    if (ok)
        outcomes->shown = show->upto;
    for (size_t i = 0; ok && i < show->count; i++) {
        const struct direct *row = &show->rows[i];
        if (i == 0 || row->account != row[-1].account)
            outcomes->config.settled(outcomes->config.context,
                                     &(struct settled){ .kind = OUTCOME_SHOWN,
                                                        .account = row->account,
                                                        .notification = row->notification,
                                                        .id = row->id });
    }
    free(show);
}

static bool is_shown(const struct outcomes *outcomes, const struct list *node)
{
    return container_of(node, struct postback, fresh)->id <= outcomes->shown;
}

/* The first that has none, or NULL.  In most turns of the loop the newest tells that all have. */
static struct list *first_unshown(const struct outcomes *outcomes)
{
    const struct list *all = &outcomes->fresh;
    if (list_empty(all) || is_shown(outcomes, all->prev))
        return NULL;
    struct list *node = all->next;
    while (is_shown(outcomes, node))
        node = node->next;
    return node;
}

static bool is_long_out(const struct list *node)
{
    const struct postback *postback = container_of(node, struct postback, fresh);
    return id_time_ms(postback->id) + SHOWN_AFTER_MS <= clock_due_ms();
}

static void show(void *context)
{
    struct outcomes *outcomes = context;
    struct list *first = first_unshown(outcomes);
    size_t most = 0;
    if (first == NULL || !outcomes->config.work->writable)
        return;
    for (struct list *node = first;
         most < BATCH_MOST && node != &outcomes->fresh && is_long_out(node); node = node->next)
        most++;
    struct show_job *job =
        work_add(outcomes->config.work, outcomes, sizeof(*job) + most * sizeof(job->rows[0]),
                 show_run, show_done);
    job->upto = outcomes->shown;
    for (struct list *node = first; most > 0; node = node->next, most--) {
        const struct postback *postback = container_of(node, struct postback, fresh);
        job->upto = postback->id;
        if (!postback->written)
            job->rows[job->count++] = (struct direct){ .id = postback->id,
                                                       .notification = postback->notification,
                                                       .event = postback->event->id,
                                                       .account = postback->event->account };
    }
    periodic_begin(outcomes->show);
    work_write(&job->job);
}

/* Once a turn of the loop; no turn need come by itself while a receiver hangs. */
static void watch_fresh(struct outcomes *outcomes)
{
    if (!periodic_rests(outcomes->show) || periodic_runs(outcomes->show))
        return;
    struct list *first = first_unshown(outcomes);
    if (first == NULL)
        return;
    int64_t due = id_time_ms(container_of(first, struct postback, fresh)->id) + SHOWN_AFTER_MS;
    int64_t left = due - clock_due_ms();
    periodic_in(outcomes->show, left < 0 ? 0 : left > SHOWN_AFTER_MS ? SHOWN_AFTER_MS : left);
}

int64_t outcomes_horizon(const struct outcomes *outcomes)
{
    struct list *first = first_unshown(outcomes);
    return first != NULL ? floor_for(container_of(first, struct postback, fresh)) : INT64_MAX;
}

/* ---- */

static bool is_others(const struct outcomes *outcomes, const struct outcome *outcome)
{
    return outcome->verdict != VERDICT_DELIVERED &&
           !work_owns(outcomes->config.work, outcome->notification);
}

/* The next ones that wait to be given to the writer. */
static void take_some(struct outcomes *outcomes, struct outcome_job *batch)
{
    for (int i = 0; i < BATCH_MOST && !list_empty(&outcomes->waiting); i++) {
        struct list *node = list_first(&outcomes->waiting);
        struct outcome *outcome = container_of(node, struct outcome, in);
        outcome->tell = is_others(outcomes, outcome);
        list_remove(node);
        list_append(&batch->outcomes, node);
        outcomes->count--;
        outcomes->recording++;
    }
}

void outcomes_flush(struct outcomes *outcomes)
{
    bool shared = membership_shared(outcomes->config.work->membership);
    int64_t floor_age = clock_steady_ms() - outcomes->floor_at;
    bool floor_due = floor_age >= FLOOR_EVERY_MS;
    if (!outcomes->config.work->writable)
        return;
    watch_fresh(outcomes);
    if (floor_due)
        age_fresh(outcomes);
    if (outcomes->count == 0 && (floor_age < (shared ? FLOOR_SHARED_MS : FLOOR_ALONE_MS) ||
                                 floor_now(outcomes) == outcomes->floor))
        return;
    do {
        struct outcome_job *batch =
            work_add(outcomes->config.work, outcomes, sizeof(*batch), outcomes_run, outcomes_done);
        batch->job.job.sure = true;
        list_init(&batch->outcomes);
        batch->shared = shared;
        take_some(outcomes, batch);
        /* A postback leaves the list of fresh ones when its outcome is on disk. */
        if (list_empty(&outcomes->waiting) && floor_due && floor_now(outcomes) != outcomes->floor) {
            batch->floor = outcomes->floor = floor_now(outcomes);
            outcomes->floor_at = clock_steady_ms();
        }
        work_write(&batch->job);
    } while (!list_empty(&outcomes->waiting));
}

void outcomes_free(struct outcomes *outcomes)
{
    struct list *node;
    periodic_free(outcomes->show);
    while ((node = list_first(&outcomes->waiting)) != NULL) {
        struct outcome *outcome = container_of(node, struct outcome, in);
        list_remove(node);
        if (outcome->kind == OUTCOME_AGED)
            free_name(outcome->postback); /* the others' are held by their feeds */
        attempt_free(&outcome->attempt);
        free(outcome);
    }
    free(outcomes);
}

size_t outcomes_unwritten(const struct outcomes *outcomes)
{
    return outcomes->count;
}

size_t outcomes_recording(const struct outcomes *outcomes)
{
    return outcomes->count + outcomes->recording;
}

void outcomes_hold(struct outcomes *outcomes, struct postback *postback)
{
    list_append(&outcomes->fresh, &postback->fresh);
}

const struct list *outcomes_held(const struct outcomes *outcomes)
{
    return &outcomes->fresh;
}

void outcomes_seen(struct outcomes *outcomes, int64_t newest)
{
    outcomes->newest = newest > outcomes->newest ? newest : outcomes->newest;
}

void outcomes_start(struct outcomes *outcomes, int64_t floor)
{
    outcomes->floor = floor;
    outcomes->newest = outcomes->shown = floor - 1; /* later ones are above it */
}

struct outcomes *outcomes_new(const struct outcomes_config *config)
{
    struct outcomes *outcomes = must_alloc(sizeof(*outcomes));
    outcomes->config = *config;
    list_init(&outcomes->fresh);
    list_init(&outcomes->waiting);
    outcomes->show = periodic_new(&config->work->timers, 0, show, outcomes);
    return outcomes;
}
