/* csv.h — files of rows in and out, as spreadsheets save and open them (RFC 4180).
 *
 * Read: the encodings of csv_text.h; separated by commas, semicolons, tabs or bars, whichever makes
 * the most known titles of the first line, or as a line `sep=;` before it says.  Where commas do
 * not separate, amounts may have a decimal comma and dates may be day.month.year (csv_local.h).
 * Written: UTF-8 with a mark, commas.
 */
#ifndef POSTBACKD_CSV_H
#define POSTBACKD_CSV_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>

enum {
    CSV_ROWS_MAX = 10000,     /* read at once */
    CSV_PLACES_MAX = 1000000, /* found at once, to be read in parts */
    CSV_PART_ROWS = 100,
    CSV_PART_BYTES = 32 * 1024, /* but one row at least */
    CSV_PART_BLANKS = 20,       /* lines between two rows of a part */
    CSV_COLUMNS_MAX = 100,
    CSV_FIELD_MAX = 64 * 1024, /* bytes of a cell */
    CSV_NOTICES_MAX = 20,      /* about columns that are passed over; the rest go without */
};

enum csv_kind { CSV_TEXT, CSV_AMOUNT, CSV_DATE };

struct csv_column {
    const char *title; /* "Sale Amount"; read without regard to case, spaces, a remark in brackets
                          or a trailing '*'; the field's name is read as its title too */
    const char *field; /* the API's name: "TransactionAmount"; NULL: known, and not read */
    enum csv_kind kind;
    const char *needed; /* no row can do without: the column itself, or, by this field's, another;
                           NULL: the column may be missing */
};

struct csv_row {
    size_t line;      /* as a spreadsheet numbers it: the header is 1, a row of many lines one */
    const char *text; /* as it stands in the file's text, without its line end */
    size_t len;
};

struct csv_file {          /* all zeroes is an empty one */
    json_t *rows;          /* of objects: strings under the API's names */
    size_t count;          /* of rows */
    struct csv_row *at;    /* where each of them stood */
    struct csv_row header; /* its line is 1 */
    json_t *notices;       /* sentences: what was passed over, and how it was read */
    char separator;
    bool separator_said; /* by a line `sep=` */
    bool has_problems;   /* its first column is csv_problem()'s, which is not among the others */
    struct buf text;     /* the file in UTF-8 */
};

/* Reads the whole file.  Blank lines and rows whose cells are all empty are no rows; missing cells
 * at a row's end are empty, and empty ones beyond the header's are dropped.  Columns that are not
 * known are passed over, with a notice; a column titled "Problem" without one (csv_problem()).  No
 * known column, a needed one missing, a column twice, a row with more cells than titles, broken
 * quoting, no text, a cell over CSV_FIELD_MAX or too many rows: false with the line and reason. The
 * ' that csv_cell() put before formulas are taken off again. */
bool csv_read(const char *bytes, size_t len, const struct csv_column *columns, size_t column_count,
              struct csv_file *file, struct error *error);
/* The same, but only finds where the rows stand (`count`, `at`): `rows` is empty. */
bool csv_places(const char *bytes, size_t len, const struct csv_column *columns,
                size_t column_count, struct csv_file *file, struct error *error);
/* Writes the rows from `row` on, a few (CSV_PART_…), as a file of its own that csv_read() takes as
 * it would take them in the whole one.  Gives how many.  The line of a row in the whole file is its
 * line in the part and *lines_before. */
size_t csv_part(const struct csv_file *file, size_t row, struct buf *out, size_t *lines_before);
void csv_file_free(struct csv_file *file);

/* A file of some of the rows, to be mended and read again: the header and each row as they stood,
 * behind a first column "Problem", in place of the one that an earlier such file had. */
void csv_problems_start(const struct csv_file *file, struct buf *out);
void csv_problem(const struct csv_file *file, size_t row, const char *problem, struct buf *out);

/* The byte order mark, by which spreadsheets know UTF-8. */
void csv_start(struct buf *out);
/* Writes one cell, quoted when needed, with a comma before it unless first.  What a spreadsheet
 * would run as a formula gets a leading ': = + - @ tab or return, first in the cell (unless it is a
 * plain number) or behind anything inside it at which a spreadsheet set up differently splits
 * cells. */
void csv_cell(struct buf *out, const char *text, bool first);
void csv_end_row(struct buf *out);

#endif
