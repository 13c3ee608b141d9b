/* export_kinds.h — what can be exported: how its filters are read, and its next rows found. */
#ifndef POSTBACKD_EXPORT_KINDS_H
#define POSTBACKD_EXPORT_KINDS_H

#include "engine/errands.h"
#include "server/call.h"

struct export_rows {
    struct db *db;
    const struct call *call;  /* stands in: the filters, and who asked */
    struct errand_made *made; /* place and first are the kind's own; it counts what it gives */
    json_t *rows;             /* an array, empty at first: the next rows, oldest place first */
    bool end;                 /* there are no more behind these */
};

struct export_column {
    const char *title;  /* in the first line of a CSV file */
    const char *member; /* of the row; NULL: it stays empty */
};
enum { EXPORT_COLUMNS_MAX = 64 };

struct export_kind {
    int accounts; /* kinds of account that have such records */
    /* The filters of the list: a problem for each that is wrong. */
    void (*check)(const struct call *call, struct problems *problems);
    /* The next few rows from the place on, which it moves. */
    void (*read)(struct export_rows *rows);
    size_t (*columns)(enum account_kind kind, struct export_column out[EXPORT_COLUMNS_MAX]);
};

/* NULL: no export. */
const struct export_kind *export_kind_of(enum errand_kind kind);

#endif
