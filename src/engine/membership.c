/* membership.c — renews the lease, and keeps what was found there.
 *
 * A renewal is one small transaction beside the writer's (store_aside()): it moves the end of the
 * lease, takes free parts, and reads which parts it has.  Its answer counts from when it was asked
 * for.  A timer stands at the lease's end, and is moved along by each answer.
 *
 * The rule: nothing here says that the lease stands later than the database does.
 */
#include "engine/membership.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "store/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RENEW_MS = 2000,
    AGAIN_MS = 500,  /* after one that failed */
    MARGIN_MS = 500, /* it stops so long before the database says that the lease is over */
};

struct membership {
    uv_loop_t *loop;
    struct store *store;
    struct db_guard guard;
    int64_t deadline_ms;
    char address[NODE_ADDRESS_MOST];
    const struct membership_events *events;
    void *context;

    uv_timer_t renew, end;
    int open;   /* handles */
    bool asked; /* a renewal is under way */
    bool stopping, left;
    bool told_valid;
    int64_t until_ms; /* the lease's end, steady clock */
    bool owns[MEMBERSHIP_PARTS];
    int64_t strict_from[MEMBERSHIP_PARTS]; /* steady ms */
};

struct renew_job {
    struct job job;
    struct membership *membership;
    int64_t asked_ms;
    struct node_renewal renewal;
};

/* ---- what is asked ---- */

bool membership_valid(const struct membership *membership)
{
    return membership == NULL || clock_steady_ms() < membership->until_ms;
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

int64_t membership_node(const struct membership *membership)
{
    return membership == NULL ? 0 : membership->guard.node;
}

/* ---- the lease ---- */

static void tell_valid(struct membership *membership)
{
    bool valid = membership_valid(membership);
    if (valid == membership->told_valid)
        return;
    membership->told_valid = valid;
    if (valid)
        log_info("lease_stands");
    else
        log_error("lease_over", LOG_T("effect", "nothing is sent, and calls are refused, until the "
                                                "database renews it"));
    if (membership->events != NULL)
        membership->events->valid(membership->context, valid);
}

static void end_reached(uv_timer_t *timer)
{
    tell_valid(timer->data);
}

static void set_part(struct membership *membership, int part, bool own)
{
    if (membership->owns[part] == own)
        return;
    membership->owns[part] = own;
    if (membership->events != NULL)
        membership->events->part(membership->context, part, own);
}

static void stands_until(struct membership *membership, int64_t until_ms)
{
    int64_t left = until_ms - clock_steady_ms();
    membership->until_ms = until_ms;
    if (!membership->stopping)
        uv_timer_start(&membership->end, end_reached, left > 0 ? (uint64_t)left : 0, 0);
    tell_valid(membership);
}

static void take_over_answer(struct membership *membership, const struct renew_job *asked)
{
    const struct node_renewal *found = &asked->renewal;
    int64_t ahead = asked->asked_ms - found->now; /* of the steady clock, no later than it was */
    stands_until(membership, asked->asked_ms + NODE_LEASE_MS - MARGIN_MS);
    for (int part = 0; part < MEMBERSHIP_PARTS; part++) {
        int64_t strict = found->has[part] ? found->strict_at[part] : 0;
        membership->strict_from[part] = strict != 0 ? strict + ahead : 0;
        set_part(membership, part, found->has[part]);
    }
}

/* ---- renewing it ---- */

static void renew_due(uv_timer_t *timer);

static bool renew_run(struct job *job, struct db *db)
{
    struct node_renewal *renewal = &((struct renew_job *)job)->renewal;
    renewal->now = db_clock(db, &renewal->clock_offset);
    if (db_failed(db))
        return false;
    clock_follow(renewal->clock_offset);
    node_renew(db, renewal);
    return true;
}

static void fill(struct renew_job *asked, struct membership *membership)
{
    asked->membership = membership;
    asked->asked_ms = clock_steady_ms();
    asked->renewal = (struct node_renewal){ .guard = membership->guard,
                                            .deadline_ms = membership->deadline_ms,
                                            .take = true };
    snprintf(asked->renewal.address, sizeof(asked->renewal.address), "%s", membership->address);
}

static void renew_done(struct job *job, bool ok)
{
    struct renew_job *asked = (struct renew_job *)job;
    struct membership *membership = asked->membership;
    bool stands = ok && asked->renewal.stands;
    membership->asked = false;
    if (stands && !membership->left)
        take_over_answer(membership, asked);
    else if (ok && !membership->left)
        log_error("lease_lost", LOG_N("node", membership->guard.node));
    if (!membership->stopping)
        uv_timer_start(&membership->renew, renew_due, stands ? RENEW_MS : AGAIN_MS, 0);
    free(asked);
}

static void renew_due(uv_timer_t *timer)
{
    struct membership *membership = timer->data;
    struct renew_job *asked = must_alloc(sizeof(*asked));
    fill(asked, membership);
    asked->job = (struct job){ .run = renew_run, .done = renew_done };
    membership->asked = true;
    store_aside(membership->store, &asked->job);
}

/* ---- life ---- */

static void open_timer(struct membership *membership, uv_timer_t *timer)
{
    uv_timer_init(membership->loop, timer);
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
    struct renew_job *first = must_alloc(sizeof(*first));
    *membership = (struct membership){ .loop = config->loop,
                                       .store = config->store,
                                       .guard = *guard,
                                       .deadline_ms = config->deadline_ms };
    fill(first, membership);
    first->job.run = renew_run;
    bool good = store_run_now(config->store, &first->job) && first->renewal.stands;
    if (!good) {
        error_set(error, ERROR_UNAVAILABLE, "the lease of node %d cannot be renewed: %s",
                  (int)guard->node, first->job.error.message);
        free(membership);
    } else {
        open_timer(membership, &membership->renew);
        open_timer(membership, &membership->end);
        take_over_answer(membership, first);
        uv_timer_start(&membership->renew, renew_due, RENEW_MS, 0);
        log_info("joined", LOG_N("node", guard->node), LOG_N("epoch", guard->epoch));
        *out = membership;
    }
    free(first);
    return good;
}

void membership_listens_at(struct membership *membership, const char *address)
{
    snprintf(membership->address, sizeof(membership->address), "%s", address);
}

void membership_tell(struct membership *membership, const struct membership_events *events,
                     void *context)
{
    membership->events = events;
    membership->context = context;
}

struct leave_job {
    struct job job;
    struct membership *membership;
};

static bool leave_run(struct job *job, struct db *db)
{
    node_leave(db, &((struct leave_job *)job)->membership->guard);
    return true;
}

static void leave_done(struct job *job, bool ok)
{
    struct leave_job *leave = (struct leave_job *)job;
    if (!ok)
        log_warn("the lease could not be given back", LOG_T("reason", job->error.message));
    leave->membership->asked = false;
    free(leave);
}

void membership_stop(struct membership *membership)
{
    if (membership == NULL)
        return;
    membership->stopping = true;
    uv_timer_stop(&membership->renew);
    uv_timer_stop(&membership->end);
    while (membership->asked)
        uv_run(membership->loop, UV_RUN_ONCE);
    membership->until_ms = 0;
    membership->left = membership->asked = true;
    struct leave_job *leave = must_alloc(sizeof(*leave));
    *leave = (struct leave_job){ .job = { .run = leave_run, .done = leave_done },
                                 .membership = membership };
    store_aside(membership->store, &leave->job);
    while (membership->asked)
        uv_run(membership->loop, UV_RUN_ONCE);
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
        uv_run(membership->loop, UV_RUN_ONCE);
    free(membership);
}
