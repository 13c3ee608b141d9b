/* csv_fuzz.c — arbitrary bytes as a CSV file.
 *
 * What is read is written again and read again: both readings must be the same, so that no cell is
 * changed by an export and no cell breaks out of its place.
 */
#include "model/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Titles of one letter, so that a fuzzer finds them. */
static const struct csv_column columns[] = {
    { "A", "A", CSV_TEXT, NULL },
    { "B", "B", CSV_AMOUNT, NULL },
    { "C", "C", CSV_DATE, NULL },
    { "D", NULL, CSV_TEXT, NULL },
};
enum { COLUMNS = 3 };

static void write_row(struct buf *out, const json_t *row)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *cell = json_string_value(json_object_get(row, columns[i].field));
        csv_cell(out, cell != NULL ? cell : "", i == 0);
    }
    csv_end_row(out);
}

/* Empty cells are as good as absent ones. */
static bool same(const json_t *a, const json_t *b)
{
    struct buf left = { 0 }, right = { 0 };
    write_row(&left, a);
    write_row(&right, b);
    bool equal = left.len == right.len && memcmp(left.data, right.data, left.len) == 0;
    buf_free(&left);
    buf_free(&right);
    return equal;
}

/* Rows of empty cells are none when they are read again. */
static bool is_empty(const json_t *row)
{
    const char *name;
    json_t *cell;
    json_object_foreach((json_t *)row, name, cell)
    {
        if (json_string_length(cell) > 0)
            return false;
    }
    return true;
}

static bool same_rows(const json_t *again, const json_t *rows)
{
    size_t i, at = 0;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (is_empty(row))
            continue;
        if (!same(json_array_get(again, at++), row))
            return false;
    }
    return at == json_array_size(again);
}

/* All rows as a file of bad rows are read as they were. */
static void as_bad_rows(const struct csv_file *file)
{
    struct error error = { 0 };
    struct csv_file again;
    struct buf out = { 0 };
    csv_problems_start(file, &out);
    for (size_t i = 0; i < json_array_size(file->rows); i++)
        csv_problem(file, i, "=A;\"B\"", &out);
    if (!out.failed && out.len > 0) {
        if (!csv_read(out.data, out.len, columns, 4, &again, &error))
            abort();
        if (again.separator == file->separator && !json_equal(again.rows, file->rows))
            abort();
        csv_file_free(&again);
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct error error = { 0 };
    struct csv_file file, again;
    json_t *row;
    if (!csv_read((const char *)bytes, len, columns, 4, &file, &error)) {
        json_t *message = json_string(error.message);
        if (error.kind != ERROR_INVALID || message == NULL) /* it could not be answered */
            abort();
        json_decref(message);
        return 0;
    }
    struct buf out = { 0 };
    size_t i;
    csv_start(&out);
    for (i = 0; i < COLUMNS; i++)
        csv_cell(&out, columns[i].title, i == 0);
    csv_end_row(&out);
    json_array_foreach(file.rows, i, row)
    {
        write_row(&out, row);
    }
    if (!out.failed) {
        if (!csv_read(out.data, out.len, columns, 4, &again, &error))
            abort();
        if (!same_rows(again.rows, file.rows))
            abort();
        csv_file_free(&again);
    }
    buf_free(&out);
    as_bad_rows(&file);
    csv_file_free(&file);
    return 0;
}
