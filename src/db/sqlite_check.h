/* sqlite_check.h — what the parts of a check of SQLite's file share; for sqlite_check*.c alone. */
#ifndef POSTBACKD_SQLITE_CHECK_H
#define POSTBACKD_SQLITE_CHECK_H

#include "base/buf.h"
#include "db/check.h"
#include "db/sqlite.h"
#include "db/sqlite_schema_parts.h"

struct checker {
    struct check *check;
    struct db_source *source;
    struct db *db;
    struct schema_parts *parts;
    bool live; /* a server has the directory */
};

/* sqlite_check_file.c: every page of every tree. */
void check_file(struct checker *checker);

#endif
