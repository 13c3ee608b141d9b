/* leases.c — the columns of node that are about time, and the table lease.
 *
 * The rule: whoever raises an epoch has the node's lock (db_stop_node()), so that nothing of the
 * epoch before is committed afterwards; and what it finds fresh there then is all there is.
 */
#include "store/leases.h"

#include "base/buf.h"
#include "base/fail.h"
#include "db/tx.h"
#include "store/accounts.h"
#include "store/postbacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- renewing ---- */

/* False: its epoch is over. */
static bool put_renewal(struct db *db, struct renewal *renewal)
{
    struct stmt *put = db_prepare(
        db,
        "UPDATE node SET until_at = ?, heartbeat_at = ?, address = ?, clock_offset = ?, "
        "deadline = ? WHERE number = ? AND epoch = ? AND until_at <> 0 RETURNING draining, name");
    db_bind_int(put, 1, renewal->now + LEASE_MS);
    db_bind_int(put, 2, renewal->now);
    db_bind_text(put, 3, renewal->address);
    db_bind_int(put, 4, renewal->clock_ahead);
    db_bind_int(put, 5, renewal->deadline_ms);
    db_bind_int(put, 6, renewal->guard.node);
    db_bind_int(put, 7, renewal->guard.epoch);
    bool stands = db_step(put) == DB_ROW;
    renewal->draining = stands && db_int(put, 0) != 0;
    snprintf(renewal->name, sizeof(renewal->name), "%s", db_text(put, 1));
    db_finish(put);
    return stands;
}

/* Those alive, in order of number; the caller frees them.  Notes the others. */
static struct share_node *read_nodes(struct db *db, struct renewal *renewal, size_t *count)
{
    struct share_node *nodes = must_alloc(NODES_MOST * sizeof(*nodes));
    struct stmt *each = db_prepare(db, "SELECT number, epoch, draining, until_at FROM node WHERE "
                                       "until_at <> 0 ORDER BY number");
    *count = renewal->dead_count = 0;
    while (db_step(each) == DB_ROW && *count < NODES_MOST) {
        if (db_int(each, 3) >= renewal->now)
            nodes[(*count)++] = (struct share_node){ db_int(each, 0), db_int(each, 2) != 0 };
        else if (renewal->dead_count < LEASE_DEAD_MOST)
            renewal->dead[renewal->dead_count++] =
                (struct dead_node){ db_int(each, 0), db_int(each, 1) };
    }
    db_finish(each);
    renewal->live = (int)*count;
    return nodes;
}

static void read_parts(struct db *db, struct renewal *renewal, bool is_free[])
{
    struct stmt *each = db_prepare(db, "SELECT part, node, strict_at FROM lease WHERE node = ? OR "
                                       "node IS NULL");
    db_bind_int(each, 1, renewal->guard.node);
    while (db_step(each) == DB_ROW) {
        int64_t part = db_int(each, 0);
        if (part < 0 || part >= SHARES_PARTS)
            continue;
        is_free[part] = db_opt(each, 1, -1) == -1;
        renewal->has[part] = !is_free[part];
        renewal->strict_at[part] = db_int(each, 2);
    }
    db_finish(each);
}

static void give(struct db *db, struct renewal *renewal)
{
    for (int part = 0; part < SHARES_PARTS; part++) {
        if (!renewal->give[part])
            continue;
        struct stmt *put = db_prepare(
            db, "UPDATE lease SET node = NULL, strict_at = ? WHERE part = ? AND node = ?");
        db_bind_int(put, 1, renewal->now + LEASE_PACE_MS);
        db_bind_int(put, 2, part);
        db_bind_int(put, 3, renewal->guard.node);
        db_run(db, put);
    }
}

/* Who else takes one meanwhile has it. */
static void take(struct db *db, struct renewal *renewal, const bool wanted[])
{
    for (int part = 0; part < SHARES_PARTS; part++) {
        if (!wanted[part])
            continue;
        struct stmt *put = db_prepare(
            db, "UPDATE lease SET node = ? WHERE part = ? AND node IS NULL RETURNING strict_at");
        db_bind_int(put, 1, renewal->guard.node);
        db_bind_int(put, 2, part);
        renewal->has[part] = db_step(put) == DB_ROW;
        renewal->strict_at[part] = renewal->has[part] ? db_int(put, 0) : 0;
        db_finish(put);
    }
}

static void share(struct db *db, struct renewal *renewal)
{
    bool is_free[SHARES_PARTS] = { 0 }, works[SHARES_PARTS], wanted[SHARES_PARTS];
    size_t count;
    struct share_node *nodes = read_nodes(db, renewal, &count);

    read_parts(db, renewal, is_free);
    for (int part = 0; part < SHARES_PARTS; part++) {
        works[part] = renewal->has[part] && !renewal->leaving[part];
        is_free[part] = is_free[part] && !renewal->give[part]; /* others first */
    }
    shares_take(nodes, count, renewal->guard.node, works, is_free, wanted);
    shares_give(nodes, count, renewal->guard.node, works, renewal->surplus);
    take(db, renewal, wanted);
    for (int part = 0; part < SHARES_PARTS; part++)
        renewal->has[part] = works[part] || renewal->has[part];
    free(nodes);
}

void lease_renew(struct db *db, struct renewal *renewal)
{
    memset(renewal->has, 0, sizeof(renewal->has));
    memset(renewal->surplus, 0, sizeof(renewal->surplus));
    renewal->live = 0;
    renewal->dead_count = 0;
    renewal->stands = put_renewal(db, renewal);
    if (!renewal->stands)
        return;
    give(db, renewal);
    share(db, renewal);
}

/* ---- ending ---- */

static void free_parts(struct db *db, int64_t node, int64_t strict_at)
{
    struct stmt *put = db_prepare(db, "UPDATE lease SET node = NULL, strict_at = ? WHERE node = ?");
    db_bind_int(put, 1, strict_at);
    db_bind_int(put, 2, node);
    db_run(db, put);
}

static void tell_operator(struct db *db, const char *name, int64_t waits)
{
    struct buf text = { 0 };
    buf_fmt(&text,
            "The server %s has not been heard of for %d seconds and is taken for dead. Others do "
            "its work; %lld postbacks that it had in memory are sent by them, under the same ids.",
            name, LEASE_MS / 1000, (long long)waits);
    notice_add(db, account_operator(db), "node.dead", buf_text(&text));
    buf_free(&text);
}

bool lease_take_over(struct db *db, const struct dead_node *dead, int64_t now)
{
    db_stop_node(db, dead->number);
    struct stmt *find =
        db_prepare(db, "SELECT until_at + deadline, name FROM node WHERE number = ? AND epoch = ?");
    db_bind_int(find, 1, dead->number);
    db_bind_int(find, 2, dead->epoch);
    int64_t strict_at = db_step(find) == DB_ROW ? db_int(find, 0) + LEASE_PACE_MS : 0;
    char *name = db_copy(find, 1);
    db_finish(find);

    struct stmt *end =
        db_prepare(db, "UPDATE node SET epoch = epoch + 1, until_at = 0 WHERE "
                       "number = ? AND epoch = ? AND until_at <> 0 AND until_at < ?");
    db_bind_int(end, 1, dead->number);
    db_bind_int(end, 2, dead->epoch);
    db_bind_int(end, 3, now);
    db_run(db, end);
    bool ended = db_changes(db) == 1;
    if (ended) {
        int64_t waits = postback_recover_node(db, (int)dead->number);
        free_parts(db, dead->number, strict_at);
        tx_note(db_tx(db), (struct change){ .kind = CHANGE_NODES });
        tell_operator(db, name, waits);
    }
    free(name);
    return ended;
}

void lease_give_back(struct db *db, const struct db_guard *guard, int64_t now)
{
    db_stop_node(db, guard->node);
    struct stmt *end = db_prepare(
        db, "UPDATE node SET epoch = epoch + 1, until_at = 0, heartbeat_at = ? WHERE number = ? "
            "AND epoch = ? AND until_at <> 0");
    db_bind_int(end, 1, now);
    db_bind_int(end, 2, guard->node);
    db_bind_int(end, 3, guard->epoch);
    db_run(db, end);
    if (db_changes(db) == 0)
        return;
    db_guard(db)->epoch = guard->epoch + 1;
    tx_note(db_tx(db), (struct change){ .kind = CHANGE_NODES });
    postback_recover_node(db, (int)guard->node);
    free_parts(db, guard->node, now + LEASE_PACE_MS);
}
