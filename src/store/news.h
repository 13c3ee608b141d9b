/* news.h — the table `news` grows old: what all nodes have heard is deleted (db/news.h writes it).
 */
#ifndef POSTBACKD_STORE_NEWS_H
#define POSTBACKD_STORE_NEWS_H

#include "db/db.h"

/* Whoever was away for longer begins anew. */
enum { NEWS_KEPT_MS = 5 * 60 * 1000 };

/* Deletes at most `limit` rows that are older, but never the newest one of a node, from which its
 * numbers go on; gives how many. */
int news_expire(struct db *db, int limit);

#endif
