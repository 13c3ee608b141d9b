/* csv.c — CSV in and out; libcsv does the parsing.
 *
 * The reader feeds libcsv a line at a time, so that a failure can name the line on which its row
 * began.  libcsv cannot be stopped from its callbacks: they set `failed` and do nothing more.
 *
 * Writing and reading are inverse: what csv_cell() wrote, csv_read() gives back byte for byte
 * (trimmed text), formula guards included.  A cell is guarded if, after any number of ', a byte
 * follows that starts a formula; one ' is put before it, and one is taken off when reading.
 */
#include "model/csv.h"

#include "base/fail.h"
#include "base/text.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

/* ---- the guard against formulas ---- */

static bool plain_number(const char *text)
{
    text += *text == '+' || *text == '-';
    size_t whole = strspn(text, "0123456789");
    text += whole;
    if (whole > 0 && *text == '.') {
        size_t part = strspn(text + 1, "0123456789");
        text += part > 0 ? part + 1 : 0;
    }
    return whole > 0 && *text == '\0';
}

static bool starts_formula(const char *text)
{
    return *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
}

/* `text` is as the account wrote it: does its cell get a '? */
static bool needs_guard(const char *text)
{
    const char *after = text + strspn(text, "'");
    return starts_formula(after) && (after != text || !plain_number(text));
}

static bool has_guard(const char *cell)
{
    return *cell == '\'' && starts_formula(cell + strspn(cell, "'"));
}

/* ---- writing ---- */

void csv_start(struct buf *out)
{
    buf_str(out, "\xef\xbb\xbf");
}

void csv_cell(struct buf *out, const char *text, bool first)
{
    static const char edges[] = " \t";
    size_t len = strlen(text);
    bool quoted =
        strpbrk(text, "\",\r\n\t") != NULL ||
        (len > 0 && (strchr(edges, text[0]) != NULL || strchr(edges, text[len - 1]) != NULL));
    if (!first)
        buf_char(out, ',');
    if (quoted)
        buf_char(out, '"');
    if (needs_guard(text))
        buf_char(out, '\'');
    for (const char *at = text; *at != '\0';) {
        size_t plain = strcspn(at, "\"");
        buf_add(out, at, plain);
        at += plain;
        if (*at == '"') {
            buf_str(out, "\"\"");
            at++;
        }
    }
    if (quoted)
        buf_char(out, '"');
}

void csv_end_row(struct buf *out)
{
    buf_str(out, "\r\n");
}

/* ---- columns ---- */

/* "Sale Amount*" and "saleamount" are the same; so is "Transaction Date (if accepting)". */
static void normal(char *out, size_t size, const char *title)
{
    size_t len = 0;
    for (; *title != '\0' && *title != '(' && len + 1 < size; title++) {
        char c = *title;
        if (c == ' ' || c == '_' || c == '*' || c == '\t')
            continue;
        out[len++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    out[len] = '\0';
}

static bool same_title(const char *cell, const char *title)
{
    char a[80], b[80];
    if (title == NULL || strlen(cell) >= sizeof(a))
        return false;
    normal(a, sizeof(a), cell);
    normal(b, sizeof(b), title);
    return strcmp(a, b) == 0;
}

/* ---- reading ---- */

struct reader {
    const struct csv_column *columns;
    size_t column_count;
    const struct csv_column *order[CSV_COLUMNS_MAX]; /* of the file */
    size_t width;                                    /* columns in the file; 0: no header yet */
    size_t cell;                                     /* cells of this row so far */
    bool between;                                    /* no row has begun */
    size_t line, row_line;                           /* now; where this row began */
    json_t *rows, *row;
    struct error *error;
    bool failed;
};

static void __attribute__((format(printf, 3, 4)))
fail_at(struct reader *reader, size_t line, const char *format, ...)
{
    char reason[400];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    if (!reader->failed)
        error_set(reader->error, ERROR_INVALID, "Line %zu: %s", line, reason);
    reader->failed = true;
}

static const struct csv_column *column_titled(const struct reader *reader, const char *cell)
{
    for (size_t i = 0; i < reader->column_count; i++)
        if (same_title(cell, reader->columns[i].title))
            return &reader->columns[i];
    for (size_t i = 0; i < reader->column_count; i++)
        if (same_title(cell, reader->columns[i].field))
            return &reader->columns[i];
    return NULL;
}

/* At most so many bytes, of whole characters. */
static size_t cut(const char *text, size_t most)
{
    size_t len = strnlen(text, most + 1);
    if (len <= most)
        return len;
    for (len = most; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

static void take_title(struct reader *reader, const char *cell)
{
    if (reader->cell >= CSV_COLUMNS_MAX) {
        fail_at(reader, reader->row_line, "there are more than %d columns", CSV_COLUMNS_MAX);
        return;
    }
    const struct csv_column *column = column_titled(reader, cell);
    if (column == NULL) {
        bool semicolons = strchr(cell, ';') != NULL;
        fail_at(reader, reader->row_line, "unknown column \"%.*s\"%s", (int)cut(cell, 80), cell,
                semicolons ? "; columns are separated by commas" : "");
        return;
    }
    for (size_t i = 0; i < reader->cell; i++)
        if (reader->order[i] == column)
            fail_at(reader, reader->row_line, "the column \"%s\" is there twice", column->title);
    reader->order[reader->cell] = column;
}

static void take_value(struct reader *reader, const char *cell)
{
    if (reader->cell >= reader->width || reader->order[reader->cell]->field == NULL)
        return; /* the row's end says that it is too long */
    if (reader->row == NULL)
        reader->row = json_object();
    json_object_set_new(reader->row, reader->order[reader->cell]->field,
                        json_string(cell + has_guard(cell)));
}

static void take_cell(void *bytes, size_t len, void *context)
{
    struct reader *reader = context;
    if (reader->failed)
        return;
    if (len > CSV_FIELD_MAX) {
        fail_at(reader, reader->row_line, "a cell has %zu bytes; at most %d are allowed", len,
                CSV_FIELD_MAX);
        return;
    }
    const char *cell = bytes != NULL ? bytes : "";
    if (reader->width == 0)
        take_title(reader, cell);
    else
        take_value(reader, cell);
    reader->cell++;
}

static void take_row_end(int end, void *context)
{
    (void)end;
    struct reader *reader = context;
    if (reader->failed)
        return;
    if (reader->width == 0) {
        reader->width = reader->cell;
    } else if (reader->cell != reader->width) {
        fail_at(reader, reader->row_line, "has %zu cells where the header has %zu columns",
                reader->cell, reader->width);
    } else if (json_array_size(reader->rows) >= CSV_ROWS_MAX) {
        fail_at(reader, reader->row_line, "there are more than %d rows", CSV_ROWS_MAX);
    } else {
        json_array_append_new(reader->rows, reader->row != NULL ? reader->row : json_object());
        reader->row = NULL;
    }
    reader->cell = 0;
    reader->between = true;
}

/* Length of the line at `text`, its end included: \n, \r\n or \r alone. */
static size_t line_length(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            return i + 1;
        if (text[i] == '\r')
            return i + 1 < len && text[i + 1] == '\n' ? i + 2 : i + 1;
    }
    return len;
}

static bool blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strchr(" \t\r\n", text[i]) == NULL)
            return false;
    return true;
}

static void read_lines(struct reader *reader, const char *text, size_t len)
{
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
        die("csv_init failed");
    while (len > 0 && !reader->failed) {
        size_t step = line_length(text, len);
        reader->line++;
        if (reader->between && !blank(text, step)) {
            reader->row_line = reader->line;
            reader->between = false;
        }
        if (csv_parse(&parser, text, step, take_cell, take_row_end, reader) != step)
            fail_at(reader, reader->line,
                    "a quote stands where none may; a cell with a quote is "
                    "written in quotes, with the quote doubled");
        text += step;
        len -= step;
    }
    if (!reader->failed && csv_fini(&parser, take_cell, take_row_end, reader) != 0)
        fail_at(reader, reader->row_line, "a quote is opened here and never closed");
    csv_free(&parser);
}

static bool all_empty(json_t *row)
{
    const char *name;
    json_t *value;
    json_object_foreach(row, name, value)
    {
        if (json_string_length(value) > 0)
            return false;
    }
    return true;
}

static bool check_bytes(const char *text, size_t len, struct reader *reader)
{
    for (size_t line = 1; len > 0; line++) {
        size_t step = line_length(text, len);
        if (!text_is_utf8(text, step) || memchr(text, '\0', step) != NULL)
            fail_at(reader, line, "is not UTF-8 text; save the file as \"CSV UTF-8\"");
        text += step;
        len -= step;
    }
    return !reader->failed;
}

bool csv_read(const char *text, size_t len, const struct csv_column *columns, size_t column_count,
              json_t **rows, struct error *error)
{
    struct reader reader = {
        .columns = columns,
        .column_count = column_count,
        .between = true,
        .rows = json_array(),
        .error = error,
    };
    *rows = NULL;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (check_bytes(text, len, &reader))
        read_lines(&reader, text, len);
    if (!reader.failed && reader.width == 0)
        fail_at(&reader, 1, "the file is empty; its first line names the columns");
    json_decref(reader.row);
    if (reader.failed) {
        json_decref(reader.rows);
        return false;
    }
    size_t count = json_array_size(reader.rows);
    while (count > 0 && all_empty(json_array_get(reader.rows, count - 1)))
        json_array_remove(reader.rows, --count);
    *rows = reader.rows;
    return true;
}
