/* sqlite.h — what the files of the SQLite driver share (driver.h says what they do). */
#ifndef POSTBACKD_SQLITE_H
#define POSTBACKD_SQLITE_H

#include "db/driver.h"

#include <sqlite3.h>

enum sqlite_control {
    CONTROL_BEGIN_READ,
    CONTROL_BEGIN_WRITE,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_PART_BEGIN,
    CONTROL_PART_KEEP,
    CONTROL_PART_UNDO,
    CONTROLS
};

struct sqlite_db {
    struct db base;
    sqlite3 *handle;
    sqlite3_stmt *control[CONTROLS];
    int log_pages;                     /* in the write-ahead log at this one's last commit */
    int log_tried;                     /* … when the writer last copied */
    struct checkpointer *checkpointer; /* the writer's, once its upkeep has begun */
    bool checks;         /* a check's: what it meets is told, and its source is its own */
    int64_t log_at_most; /* … bytes: a look that the log grows beyond is given up */
};

/* sqlite_errors.c */
sqlite3 *sqlite_handle(struct db *db);
/* Takes SQLite's last error over.  sql: what was run. */
void sqlite_fail(struct sqlite_db *db, const char *sql);

/* sqlite_source.c */
struct db_source *sqlite_source_new(char *path, int lock); /* takes both over; lock -1: none */
struct db_source *sqlite_source_open(const struct db_where *where, bool *fresh,
                                     struct error *error);
void sqlite_source_close(struct db_source *source);
struct db *sqlite_open(struct db_source *source, enum db_mode mode, struct error *error);
void sqlite_close(struct db *db);
/* sqlite_schema.c */
bool sqlite_update(struct db *db, struct error *error);
/* sqlite_checkpoint.c */
bool sqlite_upkeep_start(struct db *db, struct error *error);
void sqlite_upkeep(struct db *db);
void sqlite_make_room(struct db *db);
void sqlite_upkeep_stop(struct sqlite_db *db);
/* sqlite_disk.c */
void sqlite_disk(struct db *db, struct disk_figures *out);
/* sqlite_check.c */
void sqlite_check_begins(struct sqlite_db *db); /* a transaction of its connection */
struct db *sqlite_check(const struct db_where *where, struct check *check);

#endif
