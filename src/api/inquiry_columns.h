/* inquiry_columns.h — the columns of inquiry files: what an import reads and an export writes. */
#ifndef POSTBACKD_INQUIRY_COLUMNS_H
#define POSTBACKD_INQUIRY_COLUMNS_H

#include "model/account.h"
#include "model/csv.h"

struct inquiry_column {
    const char *title;
    const char *field;  /* of the request that a row is; NULL: an import leaves it out */
    const char *member; /* of the inquiry as the API shows it; NULL: an export leaves it empty */
    enum csv_kind kind;
    const char *needed; /* as in struct csv_column */
};

/* The import's columns come first, so that an export can be filled in and sent back. */
const struct inquiry_column *inquiry_columns(enum account_kind kind, size_t *count);
/* The same for csv_read(); gives how many. */
size_t inquiry_csv_columns(enum account_kind kind, struct csv_column out[CSV_COLUMNS_MAX]);
/* The title of a field, for that kind: labels of inquiry_read() and resolution_read(). */
const char *(*inquiry_titles(enum account_kind kind))(const char *field);

#endif
