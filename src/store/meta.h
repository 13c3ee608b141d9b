/* meta.h — single numbers and words of the store, by a key: rows of the table `meta`. */
#ifndef POSTBACKD_META_H
#define POSTBACKD_META_H

#include "db/db.h"

void meta_put(struct db *db, const char *key, int64_t value);
void meta_put_text(struct db *db, const char *key, const char *value);

#endif
