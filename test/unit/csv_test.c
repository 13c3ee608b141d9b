/* csv_test.c — reading what spreadsheets write, and writing what they may safely open. */
#include "model/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct csv_column columns[] = {
    { "Order Id", "OrderId" },
    { "Sale Amount", "TransactionAmount" },
    { "Transaction Date", "TransactionDate" },
    { "Campaign Name", NULL },
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void expect_bytes(const char *text, size_t len, const char *expected)
{
    struct error error = { 0 };
    json_t *rows;
    if (!csv_read(text, len, columns, COLUMNS, &rows, &error))
        fail_msg("expected %s, got the error: %s", expected, error.message);
    char *got = json_dumps(rows, JSON_COMPACT);
    assert_string_equal(got, expected);
    free(got);
    json_decref(rows);
}

static void expect_rows(const char *text, const char *expected)
{
    expect_bytes(text, strlen(text), expected);
}

static void expect_error(const char *text, size_t len, const char *message)
{
    struct error error = { 0 };
    json_t *rows = NULL;
    if (csv_read(text, len, columns, COLUMNS, &rows, &error))
        fail_msg("expected \"%s\", got rows", message);
    assert_null(rows);
    assert_int_equal(error.kind, ERROR_INVALID);
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\", got \"%s\"", message, error.message);
}

#define EXPECT_ERROR(text, message) expect_error(text, sizeof(text) - 1, message)

static void test_titles_are_read_as_people_write_them(void **state)
{
    (void)state;
    const char *rows = "[{\"OrderId\":\"1\",\"TransactionAmount\":\"2\"}]";
    expect_rows("Order Id,Sale Amount\n1,2\n", rows);
    expect_rows("order id*,SALE  amount *\n1,2\n", rows);
    expect_rows("OrderId,TransactionAmount\n1,2\n", rows);
    expect_rows("\"Order Id\",Sale_Amount (in euros)\r\n1,2\r\n", rows);
    expect_rows("\xef\xbb\xbfOrder Id,Sale Amount\r1,2\r", rows);
    expect_rows("Sale Amount,Order Id\n2,1", "[{\"TransactionAmount\":\"2\",\"OrderId\":\"1\"}]");
}

static void test_a_known_column_without_a_field_is_left_out(void **state)
{
    (void)state;
    expect_rows("Campaign Name,Order Id\nAcme,1\n", "[{\"OrderId\":\"1\"}]");
}

static void test_quoted_cells(void **state)
{
    (void)state;
    expect_rows("Order Id\n\"a,b\"\n\"a \"\"b\"\"\"\n\"two\r\nlines\"\n\" edge \"\n",
                "[{\"OrderId\":\"a,b\"},{\"OrderId\":\"a \\\"b\\\"\"},{\"OrderId\":\"two\\r\\n"
                "lines\"},{\"OrderId\":\" edge \"}]");
}

static void test_blank_lines_and_empty_rows_at_the_end_are_left_out(void **state)
{
    (void)state;
    expect_rows("\n\nOrder Id,Sale Amount\n\n1,2\n  \n,\n3,4\n,\n\"\",\n\n",
                "[{\"OrderId\":\"1\",\"TransactionAmount\":\"2\"},{\"OrderId\":\"\","
                "\"TransactionAmount\":\"\"},{\"OrderId\":\"3\",\"TransactionAmount\":\"4\"}]");
    expect_rows("Order Id", "[]");
}

static void test_what_is_wrong_is_said_with_its_line(void **state)
{
    (void)state;
    EXPECT_ERROR("", "Line 1: the file is empty");
    EXPECT_ERROR("\xef\xbb\xbf", "Line 1: the file is empty");
    EXPECT_ERROR("Colour\n", "Line 1: unknown column \"Colour\"");
    EXPECT_ERROR("Order Id;Sale Amount\n1;2\n", "columns are separated by commas");
    EXPECT_ERROR("Order Id,\n1,\n", "Line 1: unknown column \"\"");
    EXPECT_ERROR("Order Id,OrderId\n", "Line 1: the column \"Order Id\" is there twice");
    EXPECT_ERROR("Order Id,Sale Amount\n1,2\n\n3\n", "Line 4: has 1 cells where the header has 2");
    EXPECT_ERROR("Order Id\n\"two\nlines\"\n1,2\n", "Line 4: has 2 cells where the header has 1");
    EXPECT_ERROR("Order Id\n\"a\nb\",c\n", "Line 2: has 2 cells");
    EXPECT_ERROR("Order Id\n1\na\"b\n", "Line 3: a quote stands where none may");
    EXPECT_ERROR("Order Id\n1\n\"a\"b\n", "Line 3: a quote stands where none may");
    EXPECT_ERROR("Order Id\n1\n\"a\nb\nc", "Line 3: a quote is opened here and never closed");
    EXPECT_ERROR("Order Id\n1\n\xff\n", "Line 3: is not UTF-8");
    EXPECT_ERROR("Order Id\na\0b\n", "Line 2: is not UTF-8");
}

static void test_caps_on_rows_columns_and_cells(void **state)
{
    (void)state;
    struct buf text = { 0 };
    buf_str(&text, "Order Id\n");
    for (int i = 0; i < CSV_ROWS_MAX; i++)
        buf_str(&text, "1\n");
    struct error error = { 0 };
    json_t *rows;
    assert_true(csv_read(text.data, text.len, columns, COLUMNS, &rows, &error));
    assert_int_equal(json_array_size(rows), CSV_ROWS_MAX);
    json_decref(rows);
    buf_str(&text, "1\n");
    expect_error(text.data, text.len, "Line 10002: there are more than 10000 rows");

    buf_reset(&text);
    buf_str(&text, "Order Id\n");
    for (int i = 0; i <= CSV_FIELD_MAX; i++)
        buf_char(&text, 'x');
    expect_error(text.data, text.len, "Line 2: a cell has 65537 bytes");

    buf_reset(&text);
    for (int i = 0; i <= CSV_COLUMNS_MAX; i++)
        buf_str(&text, i == 0 ? "Order Id" : ",Order Id");
    expect_error(text.data, text.len, "twice");
    buf_free(&text);
}

static void test_formulas_are_disarmed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {
        { "=1+1", "'=1+1" },
        { "@SUM(A1)", "'@SUM(A1)" },
        { "+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0" },
        { "-2+3", "'-2+3" },
        { "\t=1", "\"'\t=1\"" },
        { "=\"x\"", "\"'=\"\"x\"\"\"" },
        { "-12.50", "-12.50" },
        { "+49", "+49" },
        { "-", "'-" },
        { "-.5", "'-.5" },
        { "a=b", "a=b" },
        { "'quoted'", "'quoted'" },
        { " lead", "\" lead\"" },
        { "a,b", "\"a,b\"" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = { 0 };
        csv_cell(&out, cases[i].text, true);
        assert_string_equal(buf_text(&out), cases[i].cell);
        buf_free(&out);
    }
}

static void test_hostile_cells_come_back_as_they_went(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "plain",
        "",
        "a,b",
        "\"",
        "\"\"",
        "a\"b\"c",
        "line\nbreak",
        "\r\n",
        "\r",
        " ",
        "  edges  ",
        "\ttab\t",
        "=1+1",
        "'=1+1",
        "''=1+1",
        "'",
        "''",
        "'x",
        "'-5",
        "-5",
        "-5a",
        "+",
        "@",
        "=\"a,b\n\"",
        "\xef\xbb\xbf",
        "\xf0\x9f\x91\x9f",
        ",,,",
        "';DROP",
        "\"=1\"",
        "'\t",
        "'\r",
        "-1.",
        "\\",
        "a\\\"b",
    };
    enum { CELLS = sizeof(cells) / sizeof(cells[0]) };
    struct buf out = { 0 };
    csv_start(&out);
    csv_cell(&out, "Order Id", true);
    csv_cell(&out, "Sale Amount", false);
    csv_end_row(&out);
    for (size_t i = 0; i < CELLS; i++) {
        csv_cell(&out, cells[i], true);
        csv_cell(&out, cells[CELLS - 1 - i], false);
        csv_end_row(&out);
    }
    csv_cell(&out, "end", true);
    csv_cell(&out, "", false);
    csv_end_row(&out);
    assert_memory_equal(out.data, "\xef\xbb\xbfOrder Id,Sale Amount\r\n", 25);

    struct error error = { 0 };
    json_t *rows;
    if (!csv_read(out.data, out.len, columns, COLUMNS, &rows, &error))
        fail_msg("%s", error.message);
    assert_int_equal(json_array_size(rows), CELLS + 1);
    for (size_t i = 0; i < CELLS; i++) {
        json_t *row = json_array_get(rows, i);
        assert_string_equal(json_string_value(json_object_get(row, "OrderId")), cells[i]);
        assert_string_equal(json_string_value(json_object_get(row, "TransactionAmount")),
                            cells[CELLS - 1 - i]);
    }
    json_decref(rows);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_titles_are_read_as_people_write_them),
        cmocka_unit_test(test_a_known_column_without_a_field_is_left_out),
        cmocka_unit_test(test_quoted_cells),
        cmocka_unit_test(test_blank_lines_and_empty_rows_at_the_end_are_left_out),
        cmocka_unit_test(test_what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(test_caps_on_rows_columns_and_cells),
        cmocka_unit_test(test_formulas_are_disarmed),
        cmocka_unit_test(test_hostile_cells_come_back_as_they_went),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
