/* nodes.c — the tables node and lease.
 *
 * A row of node with until_at 0 is a number that was given back.  Whoever changes an epoch holds
 * the node's lock (db_stop_node()), so that nothing of the epoch before is committed afterwards.
 */
#include "store/nodes.h"

#include "base/buf.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

/* A number that was given back may still be in ids of the same moment. */
enum { REST_MS = 60000 };

struct joining {
    const char *instance, *name;
    int64_t now;
};

/* ---- the number ---- */

/* -1: there is none. */
static int64_t own_number(struct db *db, const char *instance)
{
    struct stmt *find = db_prepare(db, "SELECT number FROM node WHERE instance = ?");
    db_bind_text(find, 1, instance);
    return db_number(find, -1);
}

static int64_t rested_number(struct db *db, int64_t before)
{
    struct stmt *find =
        db_prepare(db, "SELECT min(number) FROM node WHERE until_at = 0 AND heartbeat_at < ?");
    db_bind_int(find, 1, before);
    int64_t number = db_step(find) == DB_ROW ? db_opt(find, 0, -1) : -1;
    db_finish(find);
    return number;
}

/* The least that has no row; NODES_MOST: all have. */
static int64_t new_number(struct db *db)
{
    struct stmt *each = db_prepare(db, "SELECT number FROM node ORDER BY number");
    int64_t number = 0;
    while (db_step(each) == DB_ROW && db_int(each, 0) == number)
        number++;
    db_finish(each);
    return number;
}

static int64_t any_number(struct db *db, int64_t now)
{
    int64_t number = rested_number(db, now - REST_MS);
    if (number == -1)
        number = new_number(db);
    return number < NODES_MOST ? number : rested_number(db, INT64_MAX);
}

/* ---- the row ---- */

static bool name_is_taken(struct db *db, const char *name, int64_t but)
{
    struct stmt *find = db_prepare(
        db, "SELECT 1 FROM node WHERE name = ? AND until_at <> 0 AND number <> ? LIMIT 1");
    db_bind_text(find, 1, name);
    db_bind_int(find, 2, but);
    return db_number(find, 0) == 1;
}

/* The caller frees it. */
static char *free_name(struct db *db, const char *name, int64_t number)
{
    struct buf text = { 0 };
    buf_str(&text, name);
    for (int at = 2; name_is_taken(db, buf_text(&text), number); at++) {
        buf_free(&text);
        buf_fmt(&text, "%s-%d", name, at);
    }
    return buf_take(&text);
}

/* Its epoch; 0: another one has the number now. */
static int64_t put_row(struct db *db, const struct joining *joining, int64_t number, bool own)
{
    char *name = free_name(db, joining->name, number);
    struct stmt *put = db_prepare(
        db,
        "INSERT INTO node (number, epoch, until_at, instance, name, address, version, since_at, "
        "heartbeat_at) VALUES (?1, 1, ?2, ?3, ?4, '', ?5, ?6, ?6) ON CONFLICT (number) DO UPDATE "
        "SET epoch = node.epoch + 1, until_at = excluded.until_at, instance = "
        "excluded.instance, name = excluded.name, address = '', version = excluded.version, "
        "since_at = excluded.since_at, heartbeat_at = excluded.heartbeat_at, draining = 0 "
        "WHERE node.until_at = 0 OR (?7 = 1 AND node.instance = excluded.instance) "
        "RETURNING epoch");
    db_bind_int(put, 1, number);
    db_bind_int(put, 2, joining->now + NODE_START_MS);
    db_bind_text(put, 3, joining->instance);
    db_bind_text(put, 4, name);
    db_bind_text(put, 5, POSTBACKD_VERSION);
    db_bind_int(put, 6, joining->now);
    db_bind_int(put, 7, own);
    int64_t epoch = db_insert(put);
    free(name);
    return epoch;
}

bool node_join(struct db *db, const char *instance, const char *name, int64_t now,
               struct db_guard *out, struct error *error)
{
    const struct joining joining = { instance, name, now };
    int64_t number = own_number(db, instance);
    bool own = number != -1;
    if (!own)
        number = any_number(db, joining.now);
    if (number == -1) {
        error_set(error, ERROR_UNAVAILABLE, "%d servers share this database already", NODES_MOST);
        return false;
    }
    db_stop_node(db, number);
    *out = (struct db_guard){ number, put_row(db, &joining, number, own), DB_NO_VERSION };
    if (out->epoch == 0)
        db_run_again(db, "another server took the same number");
    return true;
}

/* ---- the lease ---- */

/* False: its epoch is over. */
static bool put_renewal(struct db *db, struct node_renewal *renewal)
{
    struct stmt *put = db_prepare(
        db, "UPDATE node SET until_at = ?, heartbeat_at = ?, address = ?, clock_offset = ?, "
            "deadline = ? WHERE number = ? AND epoch = ? AND until_at <> 0 RETURNING draining");
    db_bind_int(put, 1, renewal->now + NODE_LEASE_MS);
    db_bind_int(put, 2, renewal->now);
    db_bind_text(put, 3, renewal->address);
    db_bind_int(put, 4, renewal->clock_offset);
    db_bind_int(put, 5, renewal->deadline_ms);
    db_bind_int(put, 6, renewal->guard.node);
    db_bind_int(put, 7, renewal->guard.epoch);
    bool stands = db_step(put) == DB_ROW;
    renewal->draining = stands && db_int(put, 0) != 0;
    db_finish(put);
    return stands;
}

static void read_parts(struct db *db, struct node_renewal *renewal)
{
    struct stmt *each = db_prepare(db, "SELECT part, strict_at FROM lease WHERE node = ?");
    db_bind_int(each, 1, renewal->guard.node);
    while (db_step(each) == DB_ROW) {
        int64_t part = db_int(each, 0);
        if (part < 0 || part >= NODE_PARTS)
            continue;
        renewal->has[part] = true;
        renewal->strict_at[part] = db_int(each, 1);
    }
    db_finish(each);
}

static void take_parts(struct db *db, const struct node_renewal *renewal)
{
    struct stmt *take = db_prepare(db, "UPDATE lease SET node = ? WHERE node IS NULL");
    db_bind_int(take, 1, renewal->guard.node);
    db_run(db, take);
}

void node_renew(struct db *db, struct node_renewal *renewal)
{
    memset(renewal->has, 0, sizeof(renewal->has));
    renewal->stands = put_renewal(db, renewal);
    if (!renewal->stands)
        return;
    if (renewal->take && !renewal->draining)
        take_parts(db, renewal);
    read_parts(db, renewal);
}

void node_leave(struct db *db, const struct db_guard *guard)
{
    struct stmt *leave =
        db_prepare(db, "UPDATE node SET until_at = 0 WHERE number = ? AND epoch = ?");
    db_bind_int(leave, 1, guard->node);
    db_bind_int(leave, 2, guard->epoch);
    db_run(db, leave);
    if (db_changes(db) == 0)
        return;
    struct stmt *free_parts = db_prepare(db, "UPDATE lease SET node = NULL WHERE node = ?");
    db_bind_int(free_parts, 1, guard->node);
    db_run(db, free_parts);
}
