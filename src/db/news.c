/* news.c — for each other node the number of its row that was heard last.
 *
 * Which nodes have rows, and the last one of each, is one query that skips through the primary key.
 * It gives the version too, of the same snapshot: whatever raised it by then has its row there.
 * Rows are deleted after some minutes, but never the newest one of a node, so that its numbers go
 * on from there whoever has that number.
 *
 * The rule: what was read counts as heard only once all have been told, so a reading that fails is
 * done again from where the last one ended.
 */
#include "db/news.h"

#include "base/buf.h"
#include "base/fail.h"
#include "base/map.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 1000, BODY_MOST = 4 * 1024 * 1024 };

struct teller { /* another node */
    int64_t node;
    int64_t heard;  /* its last row */
    int64_t newest; /* that was read, or is to be */
};

struct news {
    struct map tellers;   /* by 1 + number */
    int64_t version;      /* all that raised it so far is heard; -1: nothing was read yet */
    int64_t read_version; /* of the reading that is under way */
    int64_t rests_on;     /* what the version was when the transaction under way began */
    int64_t own;          /* the last row of this node; -1: to be looked up */
    bool wrote, raised;   /* by the transaction under way */
};

struct news *news_new(void)
{
    struct news *news = must_alloc(sizeof(*news));
    *news = (struct news){ .version = -1, .own = -1 };
    return news;
}

void news_free(struct news *news)
{
    size_t at = 0;
    if (news == NULL)
        return;
    for (struct teller *teller; (teller = map_each(&news->tellers, &at)) != NULL;)
        free(teller);
    map_free(&news->tellers);
    free(news);
}

static struct teller *teller_of(struct news *news, int64_t node)
{
    struct teller *teller = map_get(&news->tellers, node + 1);
    if (teller != NULL)
        return teller;
    teller = must_alloc(sizeof(*teller));
    *teller = (struct teller){ .node = node };
    map_put(&news->tellers, node + 1, teller);
    return teller;
}

/* ---- what this node tells ---- */

/* False: the transaction is broken, maybe by an earlier statement that is answered only now. */
static bool find_own(struct news *news, struct db *db)
{
    struct stmt *find = db_prepare(db, "SELECT max(seq) FROM news WHERE node = ?");
    db_bind_int(find, 1, db_node(db));
    int64_t last = db_number(find, 0);
    if (!db_failed(db))
        news->own = last;
    return !db_failed(db);
}

static void write_row(struct news *news, struct db *db, const char *body, size_t len)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO news (node, seq, at_ms, body) VALUES (?, ?, ?, ?)");
    db_bind_int(add, 1, db_node(db));
    db_bind_int(add, 2, news->own + 1);
    db_bind_int(add, 3, db_now(db));
    db_bind_chars(add, 4, body, len);
    db_run(db, add);
}

static bool raises(const struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (change_is_relied_on(changes->items[i].kind))
            return true;
    }
    return false;
}

static const char raise_sql[] = "UPDATE news_version SET number = number + 1";

bool news_write(struct news *news, struct db *db, const struct changes *changes)
{
    struct buf body = { .limit = BODY_MOST };
    if (changes->count == 0 || (news->own == -1 && !find_own(news, db)))
        return false;
    changes_write(&body, changes->items, changes->count);
    if (body.failed) { /* too much to be told one by one */
        buf_reset(&body);
        changes_write(&body, &(struct change){ .kind = CHANGE_EVERYTHING }, 1);
    }
    write_row(news, db, body.data, body.len);
    news->wrote = true;
    news->raised = raises(changes);
    if (news->raised) /* last, as others wait for this row */
        db_run(db, db_prepare(db, raise_sql));
    buf_free(&body);
    return true;
}

void news_written(struct news *news)
{
    news->own += news->wrote;
    if (news->version != -1)
        news->version += news->raised;
    news->wrote = news->raised = false;
}

void news_undone(struct news *news, bool surely)
{
    if (news->wrote && !surely)
        news->own = -1;
    news->wrote = news->raised = false;
}

void news_begin(struct news *news)
{
    news->rests_on = news->version;
}

int64_t news_version(const struct news *news)
{
    return news->rests_on != -1 ? news->rests_on + news->raised : -1;
}

/* ---- what others tell ---- */

/* Sets `newest` of all that have rows. */
static void read_newest(struct news *news, struct db *db)
{
    struct stmt *list = db_prepare(
        db, "WITH RECURSIVE teller (node) AS (SELECT min(node) FROM news UNION ALL "
            "SELECT (SELECT min(n.node) FROM news n WHERE n.node > teller.node) FROM teller "
            "WHERE teller.node IS NOT NULL) "
            "SELECT v.number, t.node, (SELECT max(n.seq) FROM news n WHERE n.node = t.node) "
            "FROM news_version v LEFT JOIN teller t ON t.node IS NOT NULL");
    while (db_step(list) == DB_ROW) {
        int64_t node = db_opt(list, 1, -1);
        news->read_version = db_int(list, 0);
        if (node != -1)
            teller_of(news, node)->newest = db_int(list, 2);
    }
    db_finish(list);
}

void news_join(struct news *news, struct db *db)
{
    size_t at = 0;
    read_newest(news, db);
    for (struct teller *teller; (teller = map_each(&news->tellers, &at)) != NULL;)
        teller->heard = teller->newest;
    if (!db_failed(db))
        news->version = news->read_version;
}

static void take(void *context, const struct change *change)
{
    changes_note(context, change);
}

/* Those behind *after, which follows. */
static size_t read_rows(struct db *db, const struct teller *teller, int64_t *after,
                        struct changes *out)
{
    struct stmt *list = db_prepare(db, "SELECT seq, body FROM news WHERE node = ? AND seq > ? AND "
                                       "seq <= ? ORDER BY seq LIMIT ?");
    size_t rows = 0, len;
    db_bind_int(list, 1, teller->node);
    db_bind_int(list, 2, *after);
    db_bind_int(list, 3, teller->newest);
    db_bind_int(list, 4, ROWS_AT_ONCE);
    while (db_step(list) == DB_ROW) {
        int from = (int)teller->node + 1;
        int64_t seq = db_int(list, 0);
        const char *body = db_bytes(list, 1, &len);
        if (seq != *after + 1) /* those between are deleted already */
            take(out, &(struct change){ .kind = CHANGE_EVERYTHING, .from = from });
        *after = seq;
        changes_read(body, len, from, take, out);
        rows++;
    }
    db_finish(list);
    return rows;
}

static size_t read_teller(struct db *db, const struct teller *teller, struct changes *out)
{
    size_t rows = 0, more = 0;
    int64_t after = teller->heard;
    if (teller->newest < teller->heard) /* the table was emptied by somebody */
        take(out, &(struct change){ .kind = CHANGE_EVERYTHING, .from = (int)teller->node + 1 });
    do {
        more = read_rows(db, teller, &after, out);
        rows += more;
    } while (more == ROWS_AT_ONCE);
    return rows;
}

size_t news_read(struct news *news, struct db *db, struct changes *out)
{
    size_t rows = 0, at = 0;
    read_newest(news, db);
    for (struct teller *teller; (teller = map_each(&news->tellers, &at)) != NULL;) {
        if (teller->node == db_node(db))
            teller->heard = teller->newest; /* its own */
        if (teller->newest != teller->heard && !db_failed(db))
            rows += read_teller(db, teller, out);
    }
    return rows;
}

void news_stop(struct db *db)
{
    db_run(db, db_prepare(db, "UPDATE news_version SET number = number"));
}

void news_heard(struct news *news)
{
    size_t at = 0;
    for (struct teller *teller; (teller = map_each(&news->tellers, &at)) != NULL;)
        teller->heard = teller->newest;
    news->version = news->read_version;
}
