/* maintenance.c — takes a pause from state to state.
 *
 * `now` is the row as last read.  One job at a time is under way; when it is done step() looks at
 * what comes next: tell more accounts, wait, hold, count, move on.  A job that finds the row in
 * another state changes nothing and the row is read again.
 *
 * Of servers that share a database the one on duty moves the row on and tells; the others follow
 * it, and look whether they have become that one.
 *
 * The rule: the hold follows the row.  It is set before the first turn of the loop when the row
 * says ON, and lifted only when a row that has ended was read.
 */
#include "engine/maintenance.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/map.h"
#include "model/catchup.h"
#include "model/date.h"
#include "model/notification.h"
#include "store/maintenance.h"

#include <stdlib.h>
#include <string.h>

enum {
    TELL_MOST = 200, /* accounts in one transaction */
    LOOK_MS = 1000,  /* between two looks at the clock, or at what is left */
    LOOK_SHARE = 20, /* … and so many times as long as the last look took */
    AGAIN_MS = 1000, /* after a job that failed */
    STUCK_MS = 10000 /* what is left at another server is stuck once it has stayed for so long */
};

struct elsewhere { /* what is left of a notification that another server sends for */
    int64_t notification, left, since; /* since: when it was last another number, steady ms */
};

struct pause {
    struct maintenance_config config;
    struct work *work;
    struct maintenance now;
    struct periodic *timer; /* runs: a job is under way */
    bool read_again;
    bool follows; /* another server is on duty */
    struct map elsewhere;
    int64_t expected, tried; /* first postbacks of system.maintenance_started */
    int64_t hold_by;         /* steady ms; 0: not waiting yet */
    bool counted;            /* the backlog, since the end was seen */
    int64_t catchup_of;      /* the id whose progress it is; 0: none */
    struct catchup catchup;
    int64_t down, looked_ms; /* looked_ms: how long the last count took */
};

static void step(struct pause *pause);

static void fired(void *context)
{
    step(context);
}

static void step_after(struct pause *pause, int64_t ms)
{
    periodic_in(pause->timer, ms);
}

/* ---- reading the row, and what is left ---- */

struct look_job {
    struct service_job job;
    struct maintenance row;
    struct backlog *left;
    size_t count;
    int64_t took_ms;
};

static bool has_left(enum maintenance_state state)
{
    return state == MAINTENANCE_ENDING || state == MAINTENANCE_CATCHING_UP;
}

static bool look_run(struct job *job, struct db *db)
{
    struct look_job *look = (struct look_job *)job;
    int64_t began = clock_steady_ms();
    if (maintenance_load(db, &look->row) && has_left(look->row.state))
        look->count = maintenance_left(db, look->row.ended_at, &look->left);
    look->took_ms = clock_steady_ms() - began;
    return true;
}

static bool is_stuck(const struct pause *pause, int64_t notification)
{
    return pause->config.is_stuck(pause->config.context, notification);
}

static void forget_elsewhere(struct pause *pause)
{
    size_t at = 0;
    for (struct elsewhere *one; (one = map_each(&pause->elsewhere, &at)) != NULL;)
        free(one);
    map_free(&pause->elsewhere);
    memset(&pause->elsewhere, 0, sizeof(pause->elsewhere));
}

/* Its lane is not here, so what it does is told by what is left alone. */
static bool is_stuck_elsewhere(struct pause *pause, const struct backlog *backlog)
{
    struct elsewhere *one = map_get(&pause->elsewhere, backlog->notification);
    int64_t now = clock_steady_ms();
    if (one == NULL) {
        one = must_alloc(sizeof(*one));
        one->notification = backlog->notification;
        map_put(&pause->elsewhere, backlog->notification, one);
    }
    if (one->left != backlog->left) {
        one->left = backlog->left;
        one->since = now;
    }
    return now - one->since >= STUCK_MS;
}

static bool backlog_is_stuck(struct pause *pause, const struct backlog *backlog)
{
    return work_owns(pause->work, backlog->notification) ? is_stuck(pause, backlog->notification)
                                                         : is_stuck_elsewhere(pause, backlog);
}

/* Postbacks in memory that are in no index yet: added to those left, or to those that are stuck. */
static void add_fresh(const struct pause *pause, int64_t until, int64_t *left, int64_t *stuck)
{
    const struct list *fresh = pause->config.fresh;
    for (const struct list *node = fresh->next; node != fresh; node = node->next) {
        const struct postback *postback = container_of(node, struct postback, fresh);
        if (postback->due_at > until) /* a later step's is due as of its event */
            continue;
        *(is_stuck(pause, postback->notification) ? stuck : left) += 1;
    }
}

static void take_left(struct pause *pause, const struct look_job *look)
{
    int64_t left = 0, down = 0;
    add_fresh(pause, look->row.ended_at, &left, &down);
    for (size_t i = 0; i < look->count; i++) {
        const struct backlog *backlog = &look->left[i];
        if (backlog_is_stuck(pause, backlog))
            down += backlog->left;
        else
            left += backlog->left;
    }
    if (pause->catchup_of != look->row.id) {
        pause->catchup = (struct catchup){ .total = look->row.backlog };
        pause->catchup_of = look->row.id;
    }
    catchup_sample(&pause->catchup, clock_steady_ms(), left);
    pause->down = down;
    pause->looked_ms = look->took_ms;
    pause->counted = true;
}

static void look(struct pause *pause);

static void look_done(struct job *job, bool ok)
{
    struct look_job *look = (struct look_job *)job;
    struct pause *pause = work_done(job);
    bool changed = look->row.id != pause->now.id || look->row.state != pause->now.state;
    periodic_done(pause->timer);
    if (ok) {
        if (changed) {
            pause->expected = pause->tried = pause->hold_by = 0;
            pause->counted = false;
            forget_elsewhere(pause);
        }
        if (has_left(look->row.state))
            take_left(pause, look);
        maintenance_clear(&pause->now);
        pause->now = look->row;
        if (changed)
            log_info("maintenance", LOG_T("state", maintenance_state_name(pause->now.state)));
    } else {
        maintenance_clear(&look->row);
        pause->read_again = true;
    }
    free(look->left);
    free(look);
    if (ok)
        step(pause);
    else
        step_after(pause, AGAIN_MS);
}

static void look(struct pause *pause)
{
    if (periodic_runs(pause->timer)) {
        pause->read_again = true;
        return;
    }
    periodic_begin(pause->timer);
    pause->read_again = false;
    struct look_job *job = work_add(pause->work, pause, sizeof(*job), look_run, look_done);
    work_read(&job->job);
}

/* ---- telling accounts, and moving on ---- */

struct move_job {
    struct service_job job;
    struct maintenance row;    /* its message is borrowed: the row stays until the job is done */
    enum maintenance_state to; /* of a move */
    int64_t told;              /* up to which account, before */
    int64_t at_once;           /* -1: the row is in another state */
    bool moved;
};

static bool tell_run(struct job *job, struct db *db)
{
    struct move_job *tell = (struct move_job *)job;
    tell->row.told = tell->told;
    tell->at_once = maintenance_tell(job, db, &tell->row, TELL_MOST);
    tell->moved = tell->at_once != -1;
    return true;
}

static bool move_run(struct job *job, struct db *db)
{
    struct move_job *move = (struct move_job *)job;
    move->moved = maintenance_move(db, &move->row, move->to, move->row.backlog);
    return true;
}

static void move_done(struct job *job, bool ok)
{
    struct move_job *move = (struct move_job *)job;
    struct pause *pause = work_done(job);
    periodic_done(pause->timer);
    if (ok && move->moved && move->to == pause->now.state) { /* told */
        pause->expected += move->at_once;
        pause->now.told = move->row.told;
    }
    if (!ok)
        step_after(pause, AGAIN_MS);
    else if (move->to != pause->now.state || !move->moved)
        look(pause);
    else
        step(pause);
    free(move);
}

static void give(struct pause *pause, enum maintenance_state to, int64_t backlog)
{
    bool tells = to == pause->now.state;
    struct move_job *job =
        work_add(pause->work, pause, sizeof(*job), tells ? tell_run : move_run, move_done);
    periodic_begin(pause->timer);
    job->row = pause->now;
    job->row.backlog = backlog;
    job->told = job->row.told;
    job->to = to;
    work_write(&job->job);
}

/* ---- what comes next ---- */

static void step_scheduled(struct pause *pause)
{
    int64_t wait = pause->now.start_at - clock_wall_ms(); /* which may jump: look again */
    if (wait <= 0)
        give(pause, MAINTENANCE_STARTING, 0);
    else
        step_after(pause, wait < LOOK_MS ? wait : LOOK_MS);
}

static void step_starting(struct pause *pause)
{
    int64_t now = clock_steady_ms();
    if (pause->hold_by == 0)
        pause->hold_by = now + MAINTENANCE_WAIT_MS;
    if (pause->tried < pause->expected && now < pause->hold_by) {
        step_after(pause, pause->hold_by - now);
        return;
    }
    holds_set(pause->config.holds, HOLD_MAINTENANCE, true);
    give(pause, MAINTENANCE_ON, 0);
}

static void look_again(struct pause *pause)
{
    int64_t share = pause->looked_ms * LOOK_SHARE;
    pause->counted = false;
    step_after(pause, share > LOOK_MS ? share : LOOK_MS);
}

static void step_catching_up(struct pause *pause)
{
    if (pause->catchup.left == 0) {
        give(pause, MAINTENANCE_OVER, pause->catchup.total);
        return;
    }
    look_again(pause);
}

static void step(struct pause *pause)
{
    enum maintenance_state state = pause->now.state;
    if (periodic_runs(pause->timer) || pause->work->stopping)
        return;
    periodic_rest(pause->timer);
    if (pause->follows && work_on_duty(pause->work)) {
        pause->follows = false;
        pause->read_again = true; /* where the one before has left it */
    }
    if (pause->read_again || (has_left(state) && !pause->counted)) {
        look(pause);
        return;
    }
    /* Until the hold is given in STARTING, and from the end on, postbacks go out. */
    if (state != MAINTENANCE_STARTING)
        holds_set(pause->config.holds, HOLD_MAINTENANCE, state == MAINTENANCE_ON);
    if (!work_on_duty(pause->work)) {
        pause->follows = true;
        if (state != MAINTENANCE_OVER)
            look_again(pause);
        return;
    }
    if (maintenance_telling(state).kind != NULL && pause->now.told != INT64_MAX)
        give(pause, state, pause->now.backlog);
    else if (state == MAINTENANCE_SCHEDULED)
        step_scheduled(pause);
    else if (state == MAINTENANCE_STARTING)
        step_starting(pause);
    else if (state == MAINTENANCE_ENDING)
        give(pause, MAINTENANCE_CATCHING_UP, pause->catchup.total);
    else if (state == MAINTENANCE_CATCHING_UP)
        step_catching_up(pause);
    else if (state == MAINTENANCE_CANCELLED)
        give(pause, MAINTENANCE_OVER, 0);
}

void maintenance_ended(struct pause *pause, const struct ended *ended)
{
    const struct postback *postback = ended->postback;
    if (pause->now.state != MAINTENANCE_STARTING || postback->attempts != 1 ||
        postback->event->type != catalog_type("system.maintenance_started"))
        return;
    pause->tried++;
    if (pause->hold_by != 0)
        step_after(pause, 0);
}

void maintenance_span(const struct pause *pause, int64_t *since, int64_t *until)
{
    const struct maintenance *now = &pause->now;
    *since = now->started_at;
    *until = now->expected_end_at;
}

/* ---- from the API ---- */

void maintenance_changed(struct pause *pause)
{
    look(pause);
}

void maintenance_progress(const struct pause *pause, int64_t id, struct maintenance_progress *out)
{
    *out = (struct maintenance_progress){ .expected_end_at = DATE_NONE };
    if (pause->catchup_of != id || id == 0)
        return;
    out->known = true;
    out->total = pause->catchup.total;
    out->left = pause->catchup.left;
    out->down = pause->down;
    out->rate = catchup_rate(&pause->catchup);
    int64_t remaining = catchup_remaining_ms(&pause->catchup);
    if (remaining >= 0 && pause->now.id == id && has_left(pause->now.state))
        out->expected_end_at = clock_wall_ms() + remaining;
}

/* ---- life ---- */

struct first_job {
    struct job job;
    struct maintenance row;
};

static bool first_run(struct job *job, struct db *db)
{
    struct first_job *first = (struct first_job *)job;
    maintenance_clear(&first->row);
    maintenance_load(db, &first->row);
    return true;
}

struct pause *maintenance_new(const struct maintenance_config *config, struct error *error)
{
    struct pause *pause = must_alloc(sizeof(*pause));
    struct first_job first = { .job = { .run = first_run } };
    pause->config = *config;
    pause->work = config->work;
    pause->timer = periodic_new(&config->work->timers, 0, fired, pause);
    if (!store_run_now(config->work->store, &first.job)) {
        error_set(error, first.job.error.kind, "%s", first.job.error.message);
        maintenance_clear(&first.row);
        maintenance_free(pause);
        return NULL;
    }
    pause->now = first.row;
    if (pause->now.state == MAINTENANCE_ON)
        log_warn("maintenance", LOG_T("effect", "postbacks are held until it is ended"));
    step(pause);
    return pause;
}

void maintenance_free(struct pause *pause)
{
    if (pause == NULL)
        return;
    periodic_free(pause->timer);
    forget_elsewhere(pause);
    maintenance_clear(&pause->now);
    free(pause);
}
