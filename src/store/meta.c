/* meta.c — the values are text, as other rows of the table hold words. */
#include "store/meta.h"

#include <inttypes.h>
#include <stdio.h>

void meta_put_text(struct db *db, const char *key, const char *value)
{
    struct stmt *put = db_prepare(db, "INSERT INTO meta (key, value) VALUES (?, ?) "
                                      "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    db_bind_text(put, 1, key);
    db_bind_text(put, 2, value);
    db_run(db, put);
}

void meta_put(struct db *db, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    meta_put_text(db, key, text);
}
