/* quotas.c — for each account that was sent something an upper bound of what waits, in memory.
 *
 * A bound is read from the counts of the account's notifications, and grows with each postback that
 * is written; deliveries do not lower it.  Only where it reaches the limit is it read again.  So an
 * event costs one look at memory, and whoever is far from the limit is hardly ever read.  One who
 * is near it, with very many notifications, is read for a twentieth of the time at most.
 *
 * Of a database that servers share a bound is read again before the others could have filled what
 * is left: after a second near the limit, after half a minute far from it.  So an account passes
 * its limit by what is written in about a second.
 *
 * The rule: a bound is never below what waits; what other servers added since it was read aside.
 */
#include "store/quotas.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/map.h"
#include "db/tx.h"
#include "store/accounts.h"
#include "store/letters.h"
#include "store/memories.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    READ_SHARE = 20,
    /* Of a shared database others add too: what they may in a second at the most, and how long a
     * reading is good at the most. */
    OTHERS_POSTBACKS = 10000,
    OTHERS_BYTES = 10 << 20,
    GOOD_LEAST_MS = 1000,
    GOOD_MOST_MS = 30000,
    ACCOUNTS_MOST = 100000 /* in memory; past it those that rest are forgotten */
};

struct bound {
    int64_t account, waiting, bytes;
    int64_t run; /* of the transaction (tx.h) in which these were added, and are in no row yet: */
    int64_t new_waiting, new_bytes;
    bool heard;               /* that other nodes have sent it something, since it was read */
    int64_t read_us, took_us; /* when it was last read, steady clock, and how long that took */
};

struct added { /* to a bound, in this transaction */
    int64_t account, waiting, bytes;
};

enum { ADDED_KEPT = 1024 };

struct quotas {
    struct quota_limits limits;
    struct map bounds;    /* by account */
    struct bound *latest; /* that was asked for, so that most need no look; NULL: none */
    struct added *added;  /* in order; a run of one account's within a part is one */
    size_t added_count, added_room;
    size_t part; /* those before it belong to earlier parts */
};

static void clear(void *memory)
{
    struct quotas *quotas = memory;
    size_t at = 0;
    for (struct bound *bound; (bound = map_each(&quotas->bounds, &at)) != NULL;)
        free(bound);
    map_free(&quotas->bounds);
    free(quotas->added);
}

static struct quotas *of(struct db *db)
{
    return db_memory(db, MEMORY_QUOTAS);
}

void quotas_set(struct db *db, const struct quota_limits *limits)
{
    of(db)->limits = *limits;
}

static bool any(const struct quota_limits *limits)
{
    return limits->waiting > 0 || limits->bytes > 0;
}

int64_t quota_percent(const struct quota_limits *limits, const struct quota_use *use)
{
    double waiting = limits->waiting > 0 ? (double)use->waiting / (double)limits->waiting : 0;
    double bytes = limits->bytes > 0 ? (double)use->bytes / (double)limits->bytes : 0;
    return (int64_t)(100 * (waiting > bytes ? waiting : bytes));
}

/* ---- the bounds ---- */

static void read_use(struct db *db, struct quota_use *use)
{
    struct stmt *find = db_prepare(db, "SELECT sum(c.pending), sum(c.bytes) FROM notification n "
                                       "JOIN notification_count c ON c.notification = n.id "
                                       "WHERE n.account = ?");
    db_bind_int(find, 1, use->account);
    bool found = db_step(find) == DB_ROW;
    use->waiting = found ? db_opt(find, 0, 0) : 0;
    use->bytes = found ? db_opt(find, 1, 0) : 0;
    db_finish(find);
}

static void bound_read(struct db *db, struct bound *bound)
{
    struct quota_use use = { .account = bound->account };
    int64_t began_us = clock_steady_us();
    bool now = bound->run == tx_run(db_tx(db));
    read_use(db, &use);
    bound->waiting = use.waiting + (now ? bound->new_waiting : 0);
    bound->bytes = use.bytes + (now ? bound->new_bytes : 0);
    bound->heard = false;
    bound->read_us = clock_steady_us();
    bound->took_us = bound->read_us - began_us;
}

/* All but those that were added to in this transaction, which no row tells yet. */
static void forget_others(struct quotas *quotas, int64_t run)
{
    size_t at = 0;
    quotas->latest = NULL;
    for (struct bound *bound; (bound = map_each(&quotas->bounds, &at)) != NULL;) {
        if (bound->run == run)
            continue;
        map_remove(&quotas->bounds, bound->account);
        free(bound);
    }
}

static struct bound *bound_of(struct db *db, struct quotas *quotas, int64_t account)
{
    if (quotas->latest != NULL && quotas->latest->account == account)
        return quotas->latest;
    struct bound *bound = map_get(&quotas->bounds, account);
    if (bound != NULL)
        return quotas->latest = bound;
    if (quotas->bounds.count >= ACCOUNTS_MOST)
        forget_others(quotas, tx_run(db_tx(db)));
    bound = must_alloc(sizeof(*bound));
    bound->account = account;
    bound->run = -1;
    map_put(&quotas->bounds, account, bound);
    bound_read(db, bound);
    return bound;
}

static struct added *added_to(struct quotas *quotas, int64_t account)
{
    if (quotas->added_count > quotas->part &&
        quotas->added[quotas->added_count - 1].account == account)
        return &quotas->added[quotas->added_count - 1];
    if (quotas->added_count == quotas->added_room) {
        quotas->added_room = quotas->added_room == 0 ? 64 : quotas->added_room * 2;
        quotas->added = must_resize(quotas->added, quotas->added_room * sizeof(*quotas->added));
    }
    struct added *added = &quotas->added[quotas->added_count++];
    *added = (struct added){ .account = account };
    return added;
}

static void bound_add(struct bound *bound, int64_t postbacks, int64_t bytes)
{
    bound->new_waiting += postbacks;
    bound->new_bytes += bytes;
    bound->waiting += postbacks;
    bound->bytes += bytes;
}

void quota_add(struct db *db, int64_t account, int64_t postbacks, int64_t bytes)
{
    struct quotas *quotas = of(db);
    if (!any(&quotas->limits))
        return;
    struct bound *bound = bound_of(db, quotas, account);
    int64_t run = tx_run(db_tx(db));
    if (bound->run != run) {
        bound->run = run;
        bound->new_waiting = bound->new_bytes = 0;
    }
    struct added *added = added_to(quotas, account);
    added->waiting += postbacks;
    added->bytes += bytes;
    bound_add(bound, postbacks, bytes);
}

/* ---- following the transaction ---- */

static size_t mark(struct db *db)
{
    struct quotas *quotas = of(db);
    quotas->part = quotas->added_count;
    return quotas->added_count;
}

static void undo(struct db *db, size_t to)
{
    struct quotas *quotas = of(db);
    while (quotas->added_count > to) {
        const struct added *added = &quotas->added[--quotas->added_count];
        struct bound *bound = map_get(&quotas->bounds, added->account);
        if (bound != NULL)
            bound_add(bound, -added->waiting, -added->bytes);
    }
    quotas->part = to;
}

static void committed(struct db *db)
{
    struct quotas *quotas = of(db);
    quotas->added_count = quotas->part = 0;
    if (quotas->added_room <= ADDED_KEPT)
        return;
    free(quotas->added);
    quotas->added = NULL;
    quotas->added_room = 0;
}

/* What waits is in the counts of all nodes, which are read when it is next asked for. */
static void hear(struct db *db, const struct change *change)
{
    struct quotas *quotas = of(db);
    size_t at = 0;
    bool all = change->kind == CHANGE_EVERYTHING ||
               (change->kind == CHANGE_TOUCHED && change->account == 0);
    for (struct bound *bound; all && (bound = map_each(&quotas->bounds, &at)) != NULL;)
        bound->heard = true;
    struct bound *bound = map_get(&quotas->bounds, change->account);
    if (bound != NULL && change->kind == CHANGE_TOUCHED)
        bound->heard = true;
}

const struct db_memory quotas_memory = {
    .size = sizeof(struct quotas),
    .clear = clear,
    .mark = mark,
    .undo = undo,
    .committed = committed,
    .hear = hear,
};

/* ---- asking ---- */

static int64_t part_of(int64_t limit, int percent)
{
    return limit / 100 * percent + limit % 100 * percent / 100;
}

static bool is_within(const struct quota_limits *limits, const struct bound *bound, int percent)
{
    return (limits->waiting == 0 || bound->waiting < part_of(limits->waiting, percent)) &&
           (limits->bytes == 0 || bound->bytes < part_of(limits->bytes, percent));
}

static void say(struct job *job, struct db *db, const struct quota_limits *limits,
                const struct bound *bound)
{
    struct account account;
    if (!account_find(db, bound->account, &account)) {
        error_set(&job->error, ERROR_QUOTA, "too much waits to be delivered; try again later");
        return;
    }
    if (limits->waiting > 0 && bound->waiting >= limits->waiting)
        error_set(&job->error, ERROR_QUOTA,
                  "%" PRId64 " postbacks of account %s wait to be delivered already, and at most "
                  "%" PRId64 " may; its receivers have to take some first",
                  bound->waiting, account.sid, limits->waiting);
    else
        error_set(&job->error, ERROR_QUOTA,
                  "%" PRId64 " bytes of account %s wait to be delivered already, and at most "
                  "%" PRId64 " may; its receivers have to take some first",
                  bound->bytes, account.sid, limits->bytes);
    account_clear(&account);
}

/* How long it takes the other servers to fill what is left. */
static int64_t good_ms(const struct quota_limits *limits, const struct bound *bound, int percent)
{
    int64_t good = GOOD_MOST_MS;
    if (limits->waiting > 0) {
        int64_t left = part_of(limits->waiting, percent) - bound->waiting;
        good = left / (OTHERS_POSTBACKS / 1000) < good ? left / (OTHERS_POSTBACKS / 1000) : good;
    }
    if (limits->bytes > 0) {
        int64_t left = part_of(limits->bytes, percent) - bound->bytes;
        good = left / (OTHERS_BYTES / 1000) < good ? left / (OTHERS_BYTES / 1000) : good;
    }
    return good > GOOD_LEAST_MS ? good : GOOD_LEAST_MS;
}

static bool is_stale(struct db *db, const struct quota_limits *limits, const struct bound *bound,
                     int percent)
{
    return db_is_remote(db) &&
           clock_steady_us() - bound->read_us >= good_ms(limits, bound, percent) * 1000;
}

bool quota_admits(struct job *job, struct db *db, int64_t account, int percent)
{
    struct quotas *quotas = of(db);
    if (!any(&quotas->limits))
        return true;
    struct bound *bound = bound_of(db, quotas, account);
    if (is_within(&quotas->limits, bound, percent) && !bound->heard &&
        !is_stale(db, &quotas->limits, bound, percent))
        return true;
    if (clock_steady_us() - bound->read_us >= READ_SHARE * bound->took_us)
        bound_read(db, bound);
    if (is_within(&quotas->limits, bound, percent))
        return true;
    say(job, db, &quotas->limits, bound);
    return false;
}

int64_t quota_event_bytes(struct db *db, int64_t event)
{
    size_t len = 0;
    struct stmt *find = db_prepare(db, "SELECT data FROM event WHERE id = ?");
    db_bind_int(find, 1, event);
    if (db_step(find) == DB_ROW)
        db_bytes(find, 0, &len);
    db_finish(find);
    return (int64_t)len + QUOTA_POSTBACK_BYTES;
}

/* ---- episodes ---- */

#define SQL_USES                                                                                   \
    "SELECT n.account, sum(c.pending), sum(c.bytes), "                                             \
    "EXISTS (SELECT 1 FROM quota_episode q WHERE q.account = n.account) "                          \
    "FROM notification_count c JOIN notification n ON n.id = c.notification GROUP BY n.account"

static bool use_next(struct stmt *list, struct quota_use *out)
{
    if (db_step(list) != DB_ROW)
        return false;
    *out = (struct quota_use){ .account = db_int(list, 0),
                               .waiting = db_int(list, 1),
                               .bytes = db_int(list, 2),
                               .told = db_int(list, 3) != 0 };
    return true;
}

static bool changes(const struct quota_limits *limits, const struct quota_use *use)
{
    int64_t percent = quota_percent(limits, use);
    return use->told ? percent < QUOTA_FAR_PERCENT : percent >= QUOTA_NEAR_PERCENT;
}

size_t quotas_changed(struct db *db, const struct quota_limits *limits, struct quota_use *out,
                      size_t most)
{
    struct stmt *list = db_prepare(db, SQL_USES);
    size_t count = 0;
    while (count < most && use_next(list, &out[count]))
        count += changes(limits, &out[count]);
    db_finish(list);
    return count;
}

int64_t quotas_bytes(struct db *db)
{
    return db_number(db_prepare(db, "SELECT sum(bytes) FROM notification_count"), 0);
}

int64_t quotas_near(struct db *db, const struct quota_limits *limits)
{
    struct stmt *list = db_prepare(db, SQL_USES);
    struct quota_use use;
    int64_t count = 0;
    while (use_next(list, &use))
        count += quota_percent(limits, &use) >= QUOTA_NEAR_PERCENT;
    db_finish(list);
    return count;
}

size_t quotas_largest(struct db *db, struct quota_large out[QUOTA_LARGEST])
{
    struct stmt *list = db_prepare(
        db, "SELECT a.sid, sum(c.bytes) FROM notification_count c "
            "JOIN notification n ON n.id = c.notification JOIN account a ON a.id = n.account "
            "GROUP BY a.id, a.sid HAVING sum(c.bytes) > 0 "
            "ORDER BY sum(c.bytes) DESC, a.sid LIMIT ?");
    size_t count = 0;
    db_bind_int(list, 1, QUOTA_LARGEST);
    while (db_step(list) == DB_ROW && count < QUOTA_LARGEST) {
        snprintf(out[count].sid, SID_TEXT, "%s", db_text(list, 0));
        out[count++].bytes = db_int(list, 1);
    }
    db_finish(list);
    return count;
}

static void tell(struct db *db, int64_t id, const char *text)
{
    struct account account;
    if (id == 0 || !account_find(db, id, &account))
        return;
    notice_add(db, id, "account.waiting", text);
    letter_add(db, account.email, "Much waits to be delivered", text);
    account_clear(&account);
}

static void write_text(struct buf *text, const struct quota_limits *limits,
                       const struct quota_use *use, const struct account *of)
{
    buf_fmt(text, "%" PRId64 " postbacks", use->waiting);
    if (limits->waiting > 0)
        buf_fmt(text, " of the %" PRId64 " that may", limits->waiting);
    buf_fmt(text, " wait to be delivered%s%s, with %" PRId64 " bytes", of != NULL ? " to " : "",
            of != NULL ? of->name : "", use->bytes);
    if (limits->bytes > 0)
        buf_fmt(text, " of the %" PRId64 " that may", limits->bytes);
    buf_fmt(text,
            ": %" PRId64 " %% of the room. They are kept and will go out. When there is no room "
            "left, new events are refused until receivers have taken some: look which event "
            "notifications fail or are paused.",
            quota_percent(limits, use));
}

static bool episode_is(struct db *db, int64_t account)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM quota_episode WHERE account = ?");
    db_bind_int(find, 1, account);
    return db_number(find, 0) == 1;
}

/* False: somebody else has meanwhile. */
static bool episode_write(struct db *db, int64_t account, bool begins)
{
    struct stmt *put =
        begins ? db_prepare(db, "INSERT INTO quota_episode (account, since) VALUES (?1, ?2) ON "
                                "CONFLICT (account) DO NOTHING")
               : db_prepare(db, "DELETE FROM quota_episode WHERE account = ?1");
    db_bind_int(put, 1, account);
    if (begins)
        db_bind_int(put, 2, db_now(db));
    db_run(db, put);
    return db_changes(db) == 1;
}

bool quota_tell(struct db *db, const struct quota_limits *limits, int64_t account)
{
    struct quota_use use = { .account = account, .told = episode_is(db, account) };
    struct account of;
    read_use(db, &use);
    if (!changes(limits, &use) || !account_find(db, account, &of))
        return false;
    bool begins = episode_write(db, account, !use.told) && !use.told;
    if (begins) {
        struct buf own = { 0 }, operators = { 0 };
        write_text(&own, limits, &use, NULL);
        write_text(&operators, limits, &use, &of);
        tell(db, account, buf_text(&own));
        if (account_operator(db) != account)
            tell(db, account_operator(db), buf_text(&operators));
        buf_free(&own);
        buf_free(&operators);
    }
    account_clear(&of);
    return begins;
}
