/* csv.c — CSV in and out; libcsv does the parsing.
 *
 * The reader feeds libcsv a line at a time, so that a failure can name the row that it is in.
 * libcsv cannot be stopped from its callbacks: they set `failed` and do nothing more.
 *
 * Writing and reading are inverse: what csv_cell() wrote, csv_read() gives back byte for byte
 * (trimmed text), formula guards included.  A cell is a list of pieces, parted by every byte at
 * which some spreadsheet splits.  A piece is guarded if, after any number of ' and ", a byte
 * follows that starts a formula; one ' is put before it, and one is taken off when reading.  Guards
 * part nothing, so both ways see the same pieces.
 */
#include "model/csv.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/csv_local.h"
#include "model/csv_text.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static bool starts_formula(const char *piece)
{
    piece += strspn(piece, "'\"");
    return *piece != '\0' && strchr("=+-@\t\r", *piece) != NULL;
}

/* `piece` is as the account wrote it: does it get a '? */
static bool needs_guard(const char *piece, bool first)
{
    return starts_formula(piece) && !(first && plain_number(piece));
}

static bool has_guard(const char *piece)
{
    return *piece == '\'' && starts_formula(piece);
}

/* At every one of these some spreadsheet, or some setting of it, begins another cell. */
static const char parting[] = ",;|\t\r\n";

/* ---- writing ---- */

void csv_start(struct buf *out)
{
    buf_str(out, "\xef\xbb\xbf");
}

static void add_piece(struct buf *out, const char *at, size_t len)
{
    while (len > 0) {
        const char *quote = memchr(at, '"', len);
        size_t plain = quote != NULL ? (size_t)(quote - at) + 1 : len;
        buf_add(out, at, plain);
        if (quote != NULL)
            buf_char(out, '"');
        at += plain;
        len -= plain;
    }
}

void csv_cell(struct buf *out, const char *text, bool first)
{
    static const char edges[] = " \t";
    size_t len = strlen(text);
    bool quoted =
        strpbrk(text, "\",;|\r\n\t") != NULL ||
        (len > 0 && (strchr(edges, text[0]) != NULL || strchr(edges, text[len - 1]) != NULL));
    if (!first)
        buf_char(out, ',');
    if (quoted)
        buf_char(out, '"');
    for (const char *at = text;;) {
        if (needs_guard(at, at == text))
            buf_char(out, '\'');
        size_t piece = strcspn(at, parting);
        add_piece(out, at, piece);
        at += piece;
        if (*at == '\0')
            break;
        buf_char(out, *at++);
    }
    if (quoted)
        buf_char(out, '"');
}

void csv_end_row(struct buf *out)
{
    buf_str(out, "\r\n");
}

/* The cell without its guards. */
static json_t *unguarded(const char *cell)
{
    struct buf text = { 0 };
    if (strchr(cell, '\'') == NULL) /* most cells */
        return json_string(cell);
    for (const char *at = cell;;) {
        at += has_guard(at);
        size_t piece = strcspn(at, parting);
        buf_add(&text, at, piece);
        at += piece;
        if (*at == '\0')
            break;
        buf_char(&text, *at++);
    }
    json_t *made = json_string(buf_text(&text));
    buf_free(&text);
    return made;
}

/* ---- a file of bad rows ---- */

static const char problem_title[] = "Problem";

/* Length of the row's first cell and the separator behind it. */
static size_t first_cell_length(const struct csv_row *row, char separator)
{
    bool quoted = false;
    for (size_t i = 0; i < row->len; i++) {
        if (row->text[i] == '"')
            quoted = !quoted;
        else if (row->text[i] == separator && !quoted)
            return i + 1;
    }
    return row->len;
}

static void add_row(const struct csv_file *file, const struct csv_row *row, struct buf *out)
{
    size_t before = file->has_problems ? first_cell_length(row, file->separator) : 0;
    buf_char(out, file->separator);
    buf_add(out, row->text + before, row->len - before);
    csv_end_row(out);
}

void csv_problems_start(const struct csv_file *file, struct buf *out)
{
    csv_start(out);
    if (file->separator_said)
        buf_fmt(out, "sep=%c\r\n", file->separator);
    buf_str(out, problem_title);
    add_row(file, &file->header, out);
}

void csv_problem(const struct csv_file *file, size_t row, const char *problem, struct buf *out)
{
    csv_cell(out, problem, true);
    add_row(file, &file->at[row], out);
}

/* ---- columns ---- */

/* "Sale Amount*" and "saleamount" are the same; so is "Transaction Date (if accepting)". */
static void normal(char *out, size_t size, const char *title)
{
    size_t len = 0;
    for (; *title != '\0' && *title != '(' && len + 1 < size; title++) {
        char c = *title;
        if (strchr(" _*\t-.", c) != NULL || strncmp(title, "\xc2\xa0", 2) == 0 ||
            (len == 0 && strncmp(title, "\xef\xbb\xbf", 3) == 0)) {
            title += c == '\xc2' ? 1 : c == '\xef' ? 2 : 0;
            continue;
        }
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
    const struct csv_column *order[CSV_COLUMNS_MAX + 1]; /* of the file; NULL: passed over */
    size_t width;                                        /* columns in the file; 0: no header yet */
    size_t cell;                                         /* cells of this row so far */
    size_t spare;      /* the first that is not empty beyond; 0: none */
    bool places;       /* no row is kept */
    bool between;      /* no row has begun */
    bool empty;        /* this row's cells so far */
    size_t line;       /* of the row, as a spreadsheet counts */
    size_t room;       /* of file->at */
    const char *first; /* the line of the header */
    struct csv_file *file;
    json_t *row;
    struct error *error;
    bool failed;
};

static void __attribute__((format(printf, 2, 3)))
fail_here(struct reader *reader, const char *format, ...)
{
    char reason[400];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    if (!reader->failed)
        error_set(reader->error, ERROR_INVALID, "Line %zu: %s", reader->line, reason);
    reader->failed = true;
}

static void add_notice(struct reader *reader, const char *text)
{
    if (json_array_size(reader->file->notices) < CSV_NOTICES_MAX)
        json_array_append_new(reader->file->notices, json_string(text));
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

/* How many columns are read: the one of a file of bad rows is beside them. */
static size_t columns_most(const struct reader *reader)
{
    return CSV_COLUMNS_MAX + (reader->file->has_problems ? 1 : 0);
}

static void take_title(struct reader *reader, const char *cell)
{
    char notice[200];
    if (reader->cell == 0)
        reader->file->has_problems = same_title(cell, problem_title);
    if (*cell == '\0' && reader->cell >= columns_most(reader)) /* empty ones at the end */
        return;
    if (reader->cell >= columns_most(reader)) {
        fail_here(reader, "there are more than %d columns", CSV_COLUMNS_MAX);
        return;
    }
    const struct csv_column *column = *cell != '\0' ? column_titled(reader, cell) : NULL;
    for (size_t i = 0; column != NULL && i < reader->cell; i++)
        if (reader->order[i] == column)
            fail_here(reader, "the column \"%s\" is there twice", column->title);
    reader->order[reader->cell] = column;
    if (column == NULL && *cell != '\0' && !same_title(cell, problem_title)) {
        snprintf(notice, sizeof(notice), "The column \"%.*s\" is not known and was passed over.",
                 (int)cut(cell, 80), cell);
        add_notice(reader, notice);
    }
}

/* The cell in the form that the field's own check reads. */
static json_t *value_of(const struct reader *reader, const struct csv_column *column,
                        const char *cell)
{
    struct buf local = { 0 };
    char separator = reader->file->separator;
    bool right = false;
    if (separator == ';' || separator == '\t')
        right = column->kind == CSV_AMOUNT ? csv_local_amount(cell, separator == '\t', &local)
                : column->kind == CSV_DATE ? csv_local_date(cell, &local)
                                           : false;
    json_t *made = right ? json_string(buf_text(&local)) : unguarded(cell);
    buf_free(&local);
    return made;
}

static void take_value(struct reader *reader, const char *cell)
{
    reader->empty = reader->empty && *cell == '\0';
    if (reader->cell >= reader->width) {
        if (*cell != '\0' && reader->spare == 0)
            reader->spare = reader->cell + 1;
        return;
    }
    const struct csv_column *column = reader->order[reader->cell];
    if (column == NULL || column->field == NULL || reader->places)
        return;
    if (reader->row == NULL)
        reader->row = json_object();
    json_object_set_new(reader->row, column->field, value_of(reader, column, cell));
}

static void take_cell(void *bytes, size_t len, void *context)
{
    struct reader *reader = context;
    if (reader->failed)
        return;
    if (len > CSV_FIELD_MAX) {
        fail_here(reader, "a cell has %zu bytes; at most %d are allowed", len, CSV_FIELD_MAX);
        return;
    }
    const char *cell = bytes != NULL ? bytes : "";
    if (reader->width == 0)
        take_title(reader, cell);
    else
        take_value(reader, cell);
    reader->cell++;
}

/* The title of a column by the field that it gives. */
static const char *title_of(const struct reader *reader, const char *field)
{
    for (size_t i = 0; i < reader->column_count; i++)
        if (reader->columns[i].field != NULL && strcmp(reader->columns[i].field, field) == 0)
            return reader->columns[i].title;
    return field;
}

static bool has_field(const struct reader *reader, const char *field)
{
    for (size_t i = 0; i < reader->width; i++)
        if (reader->order[i] != NULL && reader->order[i]->field != NULL &&
            strcmp(reader->order[i]->field, field) == 0)
            return true;
    return false;
}

/* All that are missing, at once. */
static void check_needed(struct reader *reader)
{
    struct buf missing = { .limit = 300 };
    int count = 0;
    for (size_t i = 0; i < reader->column_count; i++) {
        const struct csv_column *column = &reader->columns[i];
        if (column->needed == NULL || has_field(reader, column->field) ||
            has_field(reader, column->needed))
            continue;
        buf_fmt(&missing, "%s\"%s\"", count++ > 0 ? ", " : "", title_of(reader, column->field));
    }
    if (count > 0)
        fail_here(reader, "the column%s %s %s missing, which every row needs", count > 1 ? "s" : "",
                  buf_text(&missing), count > 1 ? "are" : "is");
    buf_free(&missing);
}

static void take_header(struct reader *reader)
{
    bool known = false;
    reader->width = reader->cell < columns_most(reader) ? reader->cell : columns_most(reader);
    for (size_t i = 0; i < reader->width; i++)
        known = known || reader->order[i] != NULL;
    if (!known)
        fail_here(reader,
                  "unknown column \"%.*s\", and no other is known; the first line names the "
                  "columns, separated by commas, semicolons or tabs",
                  (int)cut(reader->first, strcspn(reader->first, "\r\n") < 80
                                              ? strcspn(reader->first, "\r\n")
                                              : 80),
                  reader->first);
    check_needed(reader);
}

static void take_row(struct reader *reader)
{
    struct csv_file *file = reader->file;
    size_t count = file->count, most = reader->places ? CSV_PLACES_MAX : CSV_ROWS_MAX;
    if (reader->spare > 0) {
        fail_here(reader,
                  "has something in cell %zu, where the header has %zu columns; a cell with a "
                  "separator in it is written in quotes",
                  reader->spare, reader->width);
    } else if (count >= most) {
        fail_here(reader, "there are more than %zu rows", most);
    } else {
        if (count == reader->room) {
            reader->room = reader->room == 0 ? 64 : reader->room * 2;
            file->at = must_resize(file->at, reader->room * sizeof(file->at[0]));
        }
        file->at[count] = (struct csv_row){ .line = reader->line };
        file->count++;
        if (!reader->places)
            json_array_append_new(file->rows, reader->row != NULL ? reader->row : json_object());
        reader->row = NULL;
    }
}

static void take_row_end(int end, void *context)
{
    (void)end;
    struct reader *reader = context;
    if (reader->failed)
        return;
    if (reader->width == 0)
        take_header(reader);
    else if (!reader->empty)
        take_row(reader);
    json_decref(reader->row); /* of empty cells */
    reader->row = NULL;
    reader->cell = reader->spare = 0;
    reader->empty = true;
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

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

static bool blank(const char *text, size_t len, char separator)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == separator || strchr(" \t\r\n", text[i]) == NULL)
            return false;
    return true;
}

/* ---- the separator ---- */

/* How many cells of this line, parted so, are titles that are known. */
static size_t titles_known(const struct reader *reader, const char *line, size_t len,
                           char separator)
{
    static const char around[] = " \"\t\r\n";
    size_t known = 0;
    for (const char *at = line, *end = line + len; at <= end;) {
        const char *stop = memchr(at, separator, (size_t)(end - at));
        size_t cell = (size_t)((stop != NULL ? stop : end) - at);
        const char *from = at;
        at += cell + 1;
        while (cell > 0 && strchr(around, *from) != NULL)
            from++, cell--;
        while (cell > 0 && strchr(around, from[cell - 1]) != NULL)
            cell--;
        char title[80];
        if (cell == 0 || cell >= sizeof(title))
            continue;
        memcpy(title, from, cell);
        title[cell] = '\0';
        known += column_titled(reader, title) != NULL;
    }
    return known;
}

/* Takes the line that is the header; of those that make as many titles of it the first wins. */
static char separator_of(const struct reader *reader, const char *line, size_t len)
{
    static const char separators[] = ",;\t|";
    char best = ',';
    size_t most = 0;
    for (size_t i = 0; separators[i] != '\0'; i++) {
        size_t known = titles_known(reader, line, len, separators[i]);
        if (known > most) {
            best = separators[i];
            most = known;
        }
    }
    return best;
}

/* `sep=;`, also in quotes, which Excel takes and does not show: its length with its end; 0: none.
 */
static size_t separator_line(const char *text, size_t len, char *separator)
{
    size_t step = line_length(text, len), end = step;
    const char *at = text;
    while (end > 0 && (is_line_end(text[end - 1]) || text[end - 1] == '"'))
        end--;
    if (end > 0 && *at == '"') {
        at++;
        end--;
    }
    if (end != 5 || strncasecmp(at, "sep=", 4) != 0 || strchr(",;\t|", at[4]) == NULL)
        return 0;
    *separator = at[4];
    return step;
}

static int is_blank_space(unsigned char c)
{
    return c == ' ';
}

/* A row ends before `to`: where it stood is kept, the header's first. */
static void note_place(struct reader *reader, const char *from, const char *to)
{
    struct csv_file *file = reader->file;
    size_t count = file->count;
    struct csv_row *row = count > 0 ? &file->at[count - 1] : NULL;
    while (to > from && is_line_end(to[-1]))
        to--;
    if (file->header.line == 0)
        file->header = (struct csv_row){ reader->line, from, (size_t)(to - from) };
    else if (row != NULL && row->text == NULL && row->line == reader->line)
        *row = (struct csv_row){ reader->line, from, (size_t)(to - from) };
}

static void read_lines(struct reader *reader, struct csv_parser *parser, const char *text,
                       size_t len)
{
    const char *row = text;
    while (len > 0 && !reader->failed) {
        size_t step = line_length(text, len);
        bool ended = false;
        if (reader->between) {
            reader->line++;
            reader->between = blank(text, step, reader->file->separator);
            row = text;
        }
        ended = !reader->between;
        if (csv_parse(parser, text, step, take_cell, take_row_end, reader) != step)
            fail_here(reader, "a quote stands where none may; a cell with a quote is written in "
                              "quotes, with the quote doubled");
        text += step;
        len -= step;
        if (ended && reader->between && !reader->failed)
            note_place(reader, row, text);
    }
    bool open = !reader->between;
    if (!reader->failed && csv_fini(parser, take_cell, take_row_end, reader) != 0)
        fail_here(reader, "a quote is opened here and never closed");
    if (open && !reader->failed)
        note_place(reader, row, text);
}

static void read_file(struct reader *reader)
{
    struct csv_file *file = reader->file;
    struct csv_parser parser;
    const char *text = buf_text(&file->text);
    size_t len = file->text.len, skipped = 0;
    size_t said = separator_line(text, len, &file->separator);
    file->separator_said = said > 0;
    text += said;
    len -= said;
    while (skipped < len && strchr(" \r\n", text[skipped]) != NULL)
        skipped++;
    reader->first = text + skipped;
    if (said == 0)
        file->separator =
            separator_of(reader, reader->first, line_length(reader->first, len - skipped));
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
        die("csv_init failed");
    csv_set_delim(&parser, (unsigned char)file->separator);
    if (file->separator == '\t')
        csv_set_space_func(&parser, is_blank_space);
    read_lines(reader, &parser, text, len);
    csv_free(&parser);
}

static bool read_bytes(const char *bytes, size_t len, const struct csv_column *columns,
                       size_t column_count, bool places, struct csv_file *file, struct error *error)
{
    struct reader reader = {
        .places = places,
        .columns = columns,
        .column_count = column_count,
        .between = true,
        .empty = true,
        .file = file,
        .error = error,
    };
    const char *notice;
    *file = (struct csv_file){ .rows = json_array(),
                               .notices = json_array(),
                               .separator = ',',
                               .text = { .limit = 3 * len + 1 } };
    bool text = csv_text_read(bytes, len, &file->text, &notice, error);
    if (text && notice != NULL)
        add_notice(&reader, notice);
    if (text)
        read_file(&reader);
    if (text && !reader.failed && reader.width == 0) {
        reader.line = 1;
        fail_here(&reader, "the file is empty; its first line names the columns");
    }
    json_decref(reader.row);
    if (text && !reader.failed)
        return true;
    csv_file_free(file);
    return false;
}

bool csv_read(const char *bytes, size_t len, const struct csv_column *columns, size_t column_count,
              struct csv_file *file, struct error *error)
{
    return read_bytes(bytes, len, columns, column_count, false, file, error);
}

bool csv_places(const char *bytes, size_t len, const struct csv_column *columns,
                size_t column_count, struct csv_file *file, struct error *error)
{
    return read_bytes(bytes, len, columns, column_count, true, file, error);
}

size_t csv_part(const struct csv_file *file, size_t row, struct buf *out, size_t *lines_before)
{
    size_t from = row;
    *lines_before = file->at[row].line - 2;
    if (file->separator_said)
        buf_fmt(out, "sep=%c\r\n", file->separator);
    buf_add(out, file->header.text, file->header.len);
    csv_end_row(out);
    for (; row < file->count && row - from < CSV_PART_ROWS; row++) {
        const struct csv_row *at = &file->at[row];
        size_t blanks = row > from ? at->line - at[-1].line - 1 : 0;
        if (row > from && (out->len + at->len > CSV_PART_BYTES || blanks > CSV_PART_BLANKS))
            break;
        for (size_t i = 0; i < blanks; i++)
            csv_end_row(out);
        buf_add(out, at->text, at->len);
        csv_end_row(out);
    }
    return row - from;
}

void csv_file_free(struct csv_file *file)
{
    json_decref(file->rows);
    json_decref(file->notices);
    free(file->at);
    buf_free(&file->text);
    *file = (struct csv_file){ 0 };
}
