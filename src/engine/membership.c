/* membership.c — renews the lease, and keeps what was found there.
 *
 * A renewal is one small transaction beside the writer's (store_aside()): it moves the end of the
 * lease, gives parts back and takes others, and reads what there is.  Its answer counts from when
 * it was asked for.  A timer stands at the lease's end, and is moved along by each answer.  The end
 * itself is told by a clock that goes on while the machine is suspended, which timers do not.
 *
 * A part is own, or leaving (others should have it: the engine works on it no more, and when all of
 * it is recorded the next renewal gives it back), or neither.
 *
 * The rule: nothing here says that the lease stands longer than the database does, and no other
 * node is taken for dead before this one's own lease has stood for a while: after an outage of the
 * database all come back first.
 */
#include "engine/membership.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/metrics.h"
#include "model/change.h"
#include "store/accounts.h"
#include "store/leases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RENEW_MS = 1000,
    AGAIN_MS = 500,     /* after one that failed */
    LEAVING_MS = 100,   /* while parts are leaving: whether one can be given back */
    MARGIN_MS = 500,    /* it stops so long before the database says that the lease is over */
    STOOD_MS = 5000,    /* before it takes the place of a dead one */
    CLOCK_FINE_MS = 500 /* one that was away further than that is near again */
};

struct membership {
    struct membership_config config;
    struct db_guard guard;
    char address[NODE_ADDRESS_MOST];
    char name[NODE_NAME_MOST];
    const struct membership_events *events;
    void *context;

    uv_timer_t renew, end;
    int open;          /* handles */
    int jobs;          /* under way */
    bool asked, again; /* a renewal is under way; another one is wanted behind it */
    bool taking;       /* a dead node's place */
    bool stopping, fenced;
    bool told_valid, told_clock;
    bool draining;
    int live;
    int64_t clock_ahead;
    int64_t asked_ms; /* the last renewal */
    int64_t until_ms; /* the lease's end, as clock_elapsed_ms(); 0: it is over for good */
    int64_t since_ms; /* it has stood without a gap */
    bool owns[SHARES_PARTS], leaving[SHARES_PARTS];
    int64_t strict_from[SHARES_PARTS]; /* steady ms */
};

struct member_job { /* at the head of each */
    struct job job;
    struct membership *membership;
};

/* ---- what is asked ---- */

bool membership_valid(const struct membership *membership)
{
    return membership == NULL || clock_elapsed_ms() < membership->until_ms;
}

bool membership_shared(const struct membership *membership)
{
    return membership != NULL;
}

bool membership_owns(const struct membership *membership, int part)
{
    return membership == NULL || (membership->owns[part] && membership_valid(membership));
}

int64_t membership_strict_from(const struct membership *membership, int part)
{
    return membership == NULL ? 0 : membership->strict_from[part];
}

void membership_figures(const struct membership *membership, struct membership_figures *out)
{
    *out = (struct membership_figures){ .parts = SHARES_PARTS, .live = 1 };
    if (membership == NULL)
        return;
    *out = (struct membership_figures){ .live = membership->live,
                                        .draining = membership->draining,
                                        .clock_ahead = membership->clock_ahead };
    for (int part = 0; part < SHARES_PARTS; part++)
        out->parts += membership_owns(membership, part);
}

/* ---- jobs ---- */

/* A zeroed one of `size` bytes. */
static void *new_job(struct membership *membership, size_t size,
                     bool (*run)(struct job *, struct db *), void (*done)(struct job *, bool))
{
    struct member_job *mine = must_alloc(size);
    mine->job = (struct job){ .run = run, .done = done };
    mine->membership = membership;
    membership->jobs++;
    return mine;
}

static struct membership *done_with(struct job *job)
{
    struct membership *membership = ((struct member_job *)job)->membership;
    membership->jobs--;
    return membership;
}

/* ---- being fenced ---- */

static void fence(void *context)
{
    struct membership *membership = context;
    if (membership->fenced || membership->stopping)
        return;
    membership->fenced = true;
    membership->until_ms = 0;
    metric_add(METRIC_FENCED, 1);
    log_error("fenced", LOG_N("node", membership->guard.node),
              LOG_N("epoch", membership->guard.epoch),
              LOG_T("reason", "another server has taken the place of this one"));
    if (membership->config.fenced != NULL)
        membership->config.fenced(membership->config.context);
}

/* ---- the clock ---- */

struct clock_job {
    struct member_job head;
    int64_t ahead;
    char name[NODE_NAME_MOST];
};

static bool clock_run(struct job *job, struct db *db)
{
    const struct clock_job *told = (const struct clock_job *)job;
    struct buf text = { 0 };
    buf_fmt(&text,
            "The clock of the server %s is %.1f s %s that of the database, which all go by. "
            "Nothing is late or out of order by it; look at the server's time service.",
            told->name, (double)llabs(told->ahead) / 1000, told->ahead > 0 ? "behind" : "ahead of");
    notice_add(db, account_operator(db), "node.clock", buf_text(&text));
    buf_free(&text);
    return true;
}

static void clock_done(struct job *job, bool ok)
{
    struct membership *membership = done_with(job);
    membership->told_clock = membership->told_clock && ok; /* else it is told at the next look */
    free(job);
}

static void look_at_clock(struct membership *membership, int64_t ahead)
{
    membership->clock_ahead = ahead;
    if (llabs(ahead) < CLOCK_FINE_MS)
        membership->told_clock = false;
    if (llabs(ahead) <= MEMBERSHIP_CLOCK_MOST_MS || membership->told_clock)
        return;
    membership->told_clock = true;
    log_warn("clock_away", LOG_N("database_ahead_ms", ahead));
    struct clock_job *told = new_job(membership, sizeof(*told), clock_run, clock_done);
    told->ahead = ahead;
    snprintf(told->name, sizeof(told->name), "%s", membership->name);
    store_write(membership->config.store, &told->head.job);
}

/* ---- taking a dead node's place ---- */

static void look(struct membership *membership);

struct take_job {
    struct member_job head;
    struct dead_node dead;
    bool taken;
};

static bool take_run(struct job *job, struct db *db)
{
    struct take_job *take = (struct take_job *)job;
    int64_t ahead, now = db_clock(db, &ahead);
    take->taken = lease_take_over(db, &take->dead, now);
    return true;
}

static void take_done(struct job *job, bool ok)
{
    const struct take_job *take = (const struct take_job *)job;
    struct membership *membership = done_with(job);
    membership->taking = false;
    if (ok && take->taken) {
        metric_add(METRIC_TAKEOVERS, 1);
        log_warn("node_dead", LOG_N("node", take->dead.number));
        look(membership);
    }
    free(job);
}

static void take_dead(struct membership *membership, const struct renewal *found)
{
    if (found->dead_count == 0 || membership->taking ||
        clock_elapsed_ms() - membership->since_ms < STOOD_MS)
        return;
    membership->taking = true;
    struct take_job *take = new_job(membership, sizeof(*take), take_run, take_done);
    take->dead = found->dead[0];
    store_write(membership->config.store, &take->head.job);
}

/* ---- the lease ---- */

static void tell_valid(struct membership *membership)
{
    bool valid = membership_valid(membership);
    if (valid == membership->told_valid)
        return;
    membership->told_valid = valid;
    if (valid)
        log_info("lease_stands", LOG_N("node", membership->guard.node));
    else
        log_error("lease_over", LOG_T("effect", "nothing is sent, and calls are refused, until the "
                                                "database renews it"));
    if (membership->events != NULL)
        membership->events->valid(membership->context, valid);
}

static void await_end(struct membership *membership);

/* A timer counts from when the loop last looked at the clock, so it may come before the time. */
static void end_reached(uv_timer_t *timer)
{
    struct membership *membership = timer->data;
    if (membership_valid(membership))
        await_end(membership);
    else
        tell_valid(membership);
}

static void await_end(struct membership *membership)
{
    int64_t left = membership->until_ms - clock_elapsed_ms();
    uv_timer_start(&membership->end, end_reached, left > 0 ? (uint64_t)left + 1 : 0, 0);
}

static void set_part(struct membership *membership, int part, bool own)
{
    if (membership->owns[part] == own)
        return;
    membership->owns[part] = own;
    if (membership->events != NULL)
        membership->events->part(membership->context, part, own);
}

static void stand_from(struct membership *membership, int64_t asked_ms)
{
    if (asked_ms >= membership->until_ms) /* there was a gap */
        membership->since_ms = asked_ms;
    membership->until_ms = asked_ms + LEASE_MS - MARGIN_MS;
    await_end(membership);
}

/* `ahead`: the steady clock, of the database's. */
static void take_part_over(struct membership *membership, const struct renewal *found, int part,
                           int64_t ahead)
{
    int64_t strict_at = found->has[part] ? found->strict_at[part] : 0;
    membership->strict_from[part] = strict_at != 0 ? strict_at + ahead : 0;
    membership->leaving[part] =
        found->has[part] && (membership->leaving[part] || found->surplus[part]);
    set_part(membership, part, found->has[part] && !membership->leaving[part]);
}

static void take_answer_over(struct membership *membership, const struct renewal *found,
                             int64_t asked_ms, int64_t answered_ms)
{
    tell_valid(membership); /* an end that the timer has not told yet: whoever held back goes on */
    stand_from(membership, asked_ms);
    membership->draining = found->draining;
    membership->live = found->live;
    memcpy(membership->name, found->name, sizeof(membership->name));
    for (int part = 0; part < SHARES_PARTS; part++)
        take_part_over(membership, found, part, answered_ms - found->now);
    tell_valid(membership);
    look_at_clock(membership, found->clock_ahead);
    take_dead(membership, found);
}

/* ---- renewing it ---- */

struct renew_job {
    struct member_job head;
    int64_t asked_ms;
    struct renewal renewal;
};

static void renew_due(uv_timer_t *timer);

static bool renew_run(struct job *job, struct db *db)
{
    struct renewal *renewal = &((struct renew_job *)job)->renewal;
    renewal->now = db_clock(db, &renewal->clock_ahead);
    if (db_failed(db))
        return false;
    clock_follow(renewal->clock_ahead);
    lease_renew(db, renewal);
    return true;
}

static bool is_quiet(const struct membership *membership, int part)
{
    return membership->events == NULL || membership->events->quiet(membership->context, part);
}

static void fill(struct renew_job *asked, const struct membership *membership)
{
    asked->asked_ms = clock_elapsed_ms();
    asked->renewal.guard = membership->guard;
    asked->renewal.deadline_ms = membership->config.deadline_ms;
    memcpy(asked->renewal.address, membership->address, sizeof(asked->renewal.address));
    for (int part = 0; part < SHARES_PARTS; part++) {
        asked->renewal.leaving[part] = membership->leaving[part];
        asked->renewal.give[part] = membership->leaving[part] && is_quiet(membership, part);
    }
}

static bool any(const bool parts[])
{
    return memchr(parts, true, SHARES_PARTS * sizeof(*parts)) != NULL;
}

static void renew_in(struct membership *membership, int64_t ms)
{
    if (!membership->stopping && !membership->fenced)
        uv_timer_start(&membership->renew, renew_due, (uint64_t)ms, 0);
}

static void renew_next(struct membership *membership, bool stands)
{
    if (membership->again)
        renew_in(membership, 0);
    else if (!stands)
        renew_in(membership, AGAIN_MS);
    else
        renew_in(membership, any(membership->leaving) ? LEAVING_MS : RENEW_MS);
    membership->again = false;
}

static void renew_done(struct job *job, bool ok)
{
    const struct renew_job *asked = (const struct renew_job *)job;
    struct membership *membership = done_with(job);
    bool stands = ok && asked->renewal.stands;
    membership->asked = false;
    if (ok && !stands)
        fence(membership);
    else if (stands && !membership->fenced && !membership->stopping)
        take_answer_over(membership, &asked->renewal, asked->asked_ms, clock_steady_ms());
    renew_next(membership, stands);
    free(job);
}

static void renew_now(struct membership *membership)
{
    struct renew_job *asked = new_job(membership, sizeof(*asked), renew_run, renew_done);
    fill(asked, membership);
    membership->asked = true;
    membership->asked_ms = asked->asked_ms;
    store_aside(membership->config.store, &asked->head.job);
}

/* While parts are leaving it comes often, and mostly for nothing. */
static void renew_due(uv_timer_t *timer)
{
    struct membership *membership = timer->data;
    bool gives = false;
    for (int part = 0; part < SHARES_PARTS; part++)
        gives = gives || (membership->leaving[part] && is_quiet(membership, part));
    if (gives || clock_elapsed_ms() - membership->asked_ms >= RENEW_MS / 2)
        renew_now(membership);
    else
        renew_in(membership, LEAVING_MS);
}

static void look(struct membership *membership)
{
    if (membership->stopping || membership->fenced)
        return;
    if (membership->asked)
        membership->again = true;
    else
        renew_now(membership);
}

/* Another node, or a call here. */
static void hear(void *context, const struct change *change)
{
    if (change->kind == CHANGE_NODES || change->kind == CHANGE_EVERYTHING)
        look(context);
}

/* ---- life ---- */

static void open_timer(struct membership *membership, uv_timer_t *timer)
{
    uv_timer_init(membership->config.loop, timer);
    timer->data = membership;
    membership->open++;
}

bool membership_start(const struct membership_config *config, struct membership **out,
                      struct error *error)
{
    const struct db_guard *guard = store_guard(config->store);
    *out = NULL;
    if (guard == NULL)
        return true;
    struct membership *membership = must_alloc(sizeof(*membership));
    *membership = (struct membership){ .config = *config, .guard = *guard };
    open_timer(membership, &membership->renew);
    open_timer(membership, &membership->end);
    struct renew_job first = { .head.job.run = renew_run };
    fill(&first, membership);
    if (!store_run_now(config->store, &first.head.job) || !first.renewal.stands) {
        error_set(error, ERROR_UNAVAILABLE, "the lease of node %d cannot be renewed: %s",
                  (int)guard->node, first.head.job.error.message);
        membership_free(membership);
        return false;
    }
    take_answer_over(membership, &first.renewal, first.asked_ms, clock_steady_ms());
    store_on_fence(config->store, fence, membership);
    store_listen(config->store, hear, membership);
    renew_in(membership, RENEW_MS);
    log_info("joined", LOG_T("name", membership->name), LOG_N("node", guard->node),
             LOG_N("epoch", guard->epoch));
    *out = membership;
    return true;
}

void membership_listens_at(struct membership *membership, const char *address)
{
    if (membership != NULL)
        snprintf(membership->address, sizeof(membership->address), "%s", address);
}

void membership_tell(struct membership *membership, const struct membership_events *events,
                     void *context)
{
    if (membership == NULL)
        return;
    membership->events = events;
    membership->context = context;
}

static bool leave_run(struct job *job, struct db *db)
{
    int64_t ahead, now = db_clock(db, &ahead);
    lease_give_back(db, &((struct member_job *)job)->membership->guard, now);
    return true;
}

void membership_stop(struct membership *membership)
{
    if (membership == NULL)
        return;
    membership->stopping = true;
    uv_timer_stop(&membership->renew);
    uv_timer_stop(&membership->end);
    store_on_fence(membership->config.store, NULL, NULL);
    store_unlisten(membership->config.store, membership);
    store_seal(membership->config.store);
    while (membership->jobs > 0 || store_writes_waiting(membership->config.store) > 0)
        uv_run(membership->config.loop, UV_RUN_ONCE);
    membership->until_ms = 0;
    if (membership->fenced)
        return; /* there is nothing of it left */
    struct member_job leave = { .job = { .run = leave_run }, .membership = membership };
    if (!store_run_now(membership->config.store, &leave.job))
        log_warn("lease_not_given_back", LOG_T("reason", leave.job.error.message),
                 LOG_T("effect", "others wait until it is over"));
}

static void closed(uv_handle_t *handle)
{
    ((struct membership *)handle->data)->open--;
}

void membership_free(struct membership *membership)
{
    if (membership == NULL)
        return;
    uv_close((uv_handle_t *)&membership->renew, closed);
    uv_close((uv_handle_t *)&membership->end, closed);
    while (membership->open > 0)
        uv_run(membership->config.loop, UV_RUN_ONCE);
    free(membership);
}
