/* check_state.h — what the parts of a check share; for check*.c alone. */
#ifndef POSTBACKD_CHECK_STATE_H
#define POSTBACKD_CHECK_STATE_H

#include "db/schema_parts.h"
#include "store/check.h"

#include <sqlite3.h>
#include <stdint.h>

enum { CHECK_FINDINGS_MOST = 100 }; /* of one look; the others are counted */

struct checker {
    struct check *check;
    const char *directory;
    char *path; /* of the database */
    sqlite3 *handle;
    struct schema_parts *parts;
    bool live;           /* a server has the directory */
    int64_t log_at_most; /* bytes: a look that the log grows beyond is given up */
    bool given_up;
};

__attribute__((format(printf, 3, 4))) void check_tell(struct checker *checker, enum check_news news,
                                                      const char *format, ...);
/* A statement, stepped by the caller and finalized by check_end(); NULL: told as damage or as a
 * failure of `what`. */
sqlite3_stmt *check_begin(struct checker *checker, const char *what, const char *sql);
bool check_row(struct checker *checker, sqlite3_stmt *stmt); /* the next row */
/* False: it did not come to its end, which is told. */
bool check_end(struct checker *checker, const char *what, sqlite3_stmt *stmt);
int64_t check_number(struct checker *checker, const char *what, const char *sql, int64_t none);

/* check_file.c: every page of every tree. */
void check_file(struct checker *checker);
/* check_rows.c: counts, and rows without those that they belong to. */
void check_rows(struct checker *checker);
/* check_key.c: the key opens what it sealed. */
void check_key(struct checker *checker);

#endif
