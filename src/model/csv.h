/* csv.h — comma-separated rows in and out (RFC 4180, UTF-8, with or without a byte order mark). */
#ifndef POSTBACKD_CSV_H
#define POSTBACKD_CSV_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

enum { CSV_ROWS_MAX = 10000, CSV_COLUMNS_MAX = 100, CSV_FIELD_MAX = 64 * 1024 };

/* One row's cells in the order of the columns; `row` counts from 1, the header not counted. */
struct csv_column {
    const char *title; /* "Sale Amount"; read without regard to case, spaces, a remark in brackets
                          or a trailing '*'; the field's name is read as its title too */
    const char *field; /* the API's name: "TransactionAmount"; NULL: known, and not read */
};

/* Reads the whole text: the first line names columns.  Each further row becomes a JSON object of
 * strings under the API's names, in *rows (an array the caller owns).  An unknown column,
 * a column twice, a ragged row, broken quoting, bytes that are not UTF-8, a cell over
 * CSV_FIELD_MAX or too many rows: false with the line and reason.  Blank lines, and rows at the
 * end whose cells are all empty, are left out.  The ' that csv_cell() put before a formula is
 * taken off again. */
bool csv_read(const char *text, size_t len, const struct csv_column *columns, size_t column_count,
              json_t **rows, struct error *error);

/* The byte order mark, by which spreadsheets know UTF-8. */
void csv_start(struct buf *out);
/* Writes one cell, quoted when needed, with a comma before it unless first.  Cells that a
 * spreadsheet would run as a formula (= + - @ tab or return first, unless a plain number) get a
 * leading '. */
void csv_cell(struct buf *out, const char *text, bool first);
void csv_end_row(struct buf *out);

#endif
