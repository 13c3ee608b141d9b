/* sqlite_functions.c — octet_length() and fold(). */
#include "db/sqlite_functions.h"

#include "base/fold.h"

/* octet_length(): the bytes of a text, which SQLite has by itself from 3.43 on. */
static void octet_length(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (sqlite3_value_type(values[0]) != SQLITE_NULL)
        sqlite3_result_int64(context, sqlite3_value_bytes(values[0]));
}

/* fold(): a text as it is searched (base/fold.h). */
static void fold(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out = { 0 };
    const char *text = (const char *)sqlite3_value_text(values[0]);
    (void)count;
    if (text == NULL)
        return;
    size_t len = (size_t)sqlite3_value_bytes(values[0]);
    fold_add(&out, text, len, len);
    sqlite3_result_text(context, buf_text(&out), (int)out.len, SQLITE_TRANSIENT);
    buf_free(&out);
}

bool sqlite_add_functions(sqlite3 *handle)
{
    const int traits = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    return sqlite3_create_function_v2(handle, "octet_length", 1, traits, NULL, octet_length, NULL,
                                      NULL, NULL) == SQLITE_OK &&
           sqlite3_create_function_v2(handle, "fold", 1, traits, NULL, fold, NULL, NULL, NULL) ==
               SQLITE_OK;
}
