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
    { "A", "A" },
    { "B", "B" },
    { "C", "C" },
    { "D", NULL },
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct error error = { 0 };
    json_t *rows, *again, *row;
    if (!csv_read((const char *)bytes, len, columns, 4, &rows, &error)) {
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
    json_array_foreach(rows, i, row)
    {
        write_row(&out, row);
    }
    if (!out.failed) {
        if (!csv_read(out.data, out.len, columns, 4, &again, &error))
            abort();
        if (json_array_size(again) > json_array_size(rows))
            abort();
        json_array_foreach(again, i, row)
        {
            if (!same(row, json_array_get(rows, i)))
                abort();
        }
        json_decref(again);
    }
    buf_free(&out);
    json_decref(rows);
    return 0;
}
