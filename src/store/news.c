/* news.c — the oldest rows go first, by the index of their times. */
#include "store/news.h"

int news_expire(struct db *db, int limit)
{
    struct stmt *old = db_prepare(
        db, "DELETE FROM news WHERE (node, seq) IN (SELECT o.node, o.seq FROM news o WHERE "
            "o.at_ms < ? AND o.seq < (SELECT max(n.seq) FROM news n WHERE n.node = o.node) "
            "ORDER BY o.at_ms LIMIT ?)");
    db_bind_int(old, 1, db_now(db) - NEWS_KEPT_MS);
    db_bind_int(old, 2, limit);
    db_run(db, old);
    return (int)db_changes(db);
}
