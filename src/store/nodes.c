/* nodes.c — the tables node and lease.
 *
 * A row of node with until_at 0 is a number that was given back.  Whoever changes an epoch holds
 * the node's lock (db_stop_node()), so that nothing of the epoch before is committed afterwards.
 */
#include "store/nodes.h"

#include "base/buf.h"
#include "base/fail.h"
#include "db/tx.h"
#include "model/shares.h"
#include "model/show.h"

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

/* ---- for people ---- */

static json_t *show_node(struct stmt *each, int64_t now)
{
    json_t *shown = json_object();
    bool alive = db_int(each, 5) >= now;
    show_text(shown, "Name", db_text(each, 0));
    show_int(shown, "Number", db_int(each, 1));
    show_text(shown, "State", alive ? "LIVE" : "DEAD");
    show_text(shown, "Address", db_text(each, 2));
    show_text(shown, "Version", db_text(each, 3));
    show_date(shown, "JoinDate", db_int(each, 4));
    show_date(shown, "HeartbeatDate", db_int(each, 6));
    show_int(shown, "ClockOffsetMilliseconds", -db_int(each, 7));
    show_bool(shown, "Draining", db_int(each, 8) != 0);
    show_int(shown, "Buckets", db_int(each, 9));
    show_bool(shown, "Duty", db_int(each, 10) > 0);
    return shown;
}

json_t *node_list(struct db *db, int64_t now)
{
    json_t *nodes = json_array();
    struct stmt *each = db_prepare(
        db, "SELECT name, number, address, version, since_at, until_at, heartbeat_at, "
            "clock_offset, draining, "
            "(SELECT count(*) FROM lease WHERE lease.node = node.number AND lease.part < ?1), "
            "(SELECT count(*) FROM lease WHERE lease.node = node.number AND lease.part = ?2) "
            "FROM node WHERE until_at <> 0 ORDER BY number");
    db_bind_int(each, 1, SHARES_BUCKETS);
    db_bind_int(each, 2, SHARES_DUTY);
    while (db_step(each) == DB_ROW)
        json_array_append_new(nodes, show_node(each, now));
    db_finish(each);
    return nodes;
}

bool node_drain(struct db *db, const char *name, bool draining)
{
    struct stmt *put =
        db_prepare(db, "UPDATE node SET draining = ? WHERE name = ? AND until_at <> 0");
    db_bind_int(put, 1, draining);
    db_bind_text(put, 2, name);
    db_run(db, put);
    bool found = db_changes(db) == 1;
    if (found)
        tx_note(db_tx(db), (struct change){ .kind = CHANGE_NODES });
    return found;
}
