/* csv_test.c — reading what spreadsheets write, and writing what they may safely open. */
#include "model/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct csv_column columns[] = {
    { "Order Id", "OrderId", CSV_TEXT, NULL },
    { "Sale Amount", "TransactionAmount", CSV_AMOUNT, NULL },
    { "Transaction Date", "TransactionDate", CSV_DATE, NULL },
    { "Campaign Name", NULL, CSV_TEXT, NULL },
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void expect_bytes(const char *text, size_t len, const char *expected)
{
    struct error error = { 0 };
    struct csv_file file;
    if (!csv_read(text, len, columns, COLUMNS, &file, &error))
        fail_msg("expected %s, got the error: %s", expected, error.message);
    char *got = json_dumps(file.rows, JSON_COMPACT);
    assert_string_equal(got, expected);
    free(got);
    csv_file_free(&file);
}

static void expect_rows(const char *text, const char *expected)
{
    expect_bytes(text, strlen(text), expected);
}

static void expect_error(const char *text, size_t len, const char *message)
{
    struct error error = { 0 };
    struct csv_file file;
    if (csv_read(text, len, columns, COLUMNS, &file, &error))
        fail_msg("expected \"%s\", got rows", message);
    assert_null(file.rows);
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

static void test_blank_lines_and_empty_rows_are_left_out(void **state)
{
    (void)state;
    expect_rows("\n\nOrder Id,Sale Amount\n\n1,2\n  \n,\n3,4\n,\n\"\",\n\n",
                "[{\"OrderId\":\"1\",\"TransactionAmount\":\"2\"},{\"OrderId\":\"3\","
                "\"TransactionAmount\":\"4\"}]");
    expect_rows("Order Id", "[]");
}

static void test_files_as_spreadsheets_save_them(void **state)
{
    /* I7: separators, `sep=`, encodings, ragged rows, columns without a title or unknown. */
    (void)state;
    const char *rows = "[{\"OrderId\":\"1\",\"TransactionAmount\":\"2\"}]";
    expect_rows("Order Id;Sale Amount\n1;2\n", rows);
    expect_rows("Order Id\tSale Amount\n1\t2\n", rows);
    expect_rows("Order Id|Sale Amount\n1|2\n", rows);
    expect_rows("Shade|Order Id\r\nred|1\r\n", "[{\"OrderId\":\"1\"}]");
    expect_rows("sep=,\nOrder Id,Sale Amount\n1,2\n", rows);
    expect_rows("\"sep=;\"\r\n\r\nOrder Id;Sale Amount\r\n1;2\r\n", rows);
    expect_rows("SEP=\t\nOrder Id\tSale Amount\n1\t2", rows);
    expect_rows("\"Order Id\";\"Sale Amount, in euros\"\n1;2\n", "[{\"OrderId\":\"1\"}]");
    expect_rows("Order Id,Sale Amount,,\n1,2,,\n,,,\n", rows);
    expect_rows("Order Id,Sale Amount\n1,2,,,\n", rows);
    expect_rows("Order Id,Sale Amount,Campaign Name\n1,2\n", rows);
    expect_rows("Order Id,Colour,Sale Amount\n1,red,2\n", rows);
    expect_rows("Problem,Order Id,Sale Amount\nall of it,1,2\n", rows);
    expect_rows("ORDER-ID,sale.amount\n1,2\n", rows);
    expect_rows("\"\xef\xbb\xbfOrder\xc2\xa0Id\",Sale Amount\n1,2\n", rows);
    expect_rows("Order Id\ncaf\xe9 \x80\n", "[{\"OrderId\":\"caf\xc3\xa9 \xe2\x82\xac\"}]");
    static const char little[] = "\xff\xfeO\0r\0d\0e\0r\0I\0d\0\r\0\n\0\xe9\0=\xd8\x5f\xdc\n\0";
    expect_bytes(little, sizeof(little) - 1, "[{\"OrderId\":\"\xc3\xa9\xf0\x9f\x91\x9f\"}]");
    static const char big[] = "\xfe\xff\0O\0r\0d\0e\0r\0I\0d\0\n\0\xe9";
    expect_bytes(big, sizeof(big) - 1, "[{\"OrderId\":\"\xc3\xa9\"}]");

    struct error error = { 0 };
    struct csv_file file;
    static const char noted[] = "Order Id,Colour,Shade,\n1,\xe9,x,y\n";
    assert_true(csv_read(noted, sizeof(noted) - 1, columns, COLUMNS, &file, &error));
    char *notices = json_dumps(file.notices, JSON_COMPACT);
    assert_non_null(strstr(notices, "Windows-1252"));
    assert_non_null(strstr(notices, "\\\"Colour\\\" is not known"));
    assert_non_null(strstr(notices, "\\\"Shade\\\" is not known"));
    assert_int_equal(json_array_size(file.notices), 3);
    free(notices);
    csv_file_free(&file);
}

static void test_amounts_and_dates_where_a_comma_is_the_decimal_sign(void **state)
{
    /* I7: behind ';' and tab; what is not clear stays as it is, for the field's check to refuse. */
    (void)state;
    static const struct {
        const char *cell, *semicolon, *tab, *comma;
    } amounts[] = {
        { "10,00", "10.00", "10.00", "10,00" },
        { "1.234,56", "1234.56", "1234.56", "1.234,56" },
        { "1 234 567,5", "1234567.5", "1234567.5", "1 234 567,5" },
        { "1\xc2\xa0"
          "234,56",
          "1234.56", "1234.56",
          "1\xc2\xa0"
          "234,56" },
        { "-3,20", "-3.20", "-3.20", "-3,20" },
        { "1,234", "1.234", "1,234", "1,234" },
        { "10.00", "10.00", "10.00", "10.00" },
        { "1.234", "1.234", "1.234", "1.234" },
        { "1,234.56", "1,234.56", "1,234.56", "1,234.56" },
        { "1.23,4", "1.23,4", "1.23,4", "1.23,4" },
        { "1234.567,8", "1234.567,8", "1234.567,8", "1234.567,8" },
        { ",5", ",5", ",5", ",5" },
        { "5,", "5,", "5,", "5," },
        { "10,00 EUR", "10,00 EUR", "10,00 EUR", "10,00 EUR" },
    };
    static const struct {
        const char *cell, *date;
    } dates[] = {
        { "20.11.2026", "2026-11-20" },
        { "1.2.2026", "2026-02-01" },
        { "20.11.2026 9:05", "2026-11-20T09:05" },
        { "20.11.2026 19:05:07", "2026-11-20T19:05:07" },
        { "2026-11-20", "2026-11-20" },
        { "20.11.26", "20.11.26" },
        { "20/11/2026", "20/11/2026" },
        { "20.11.2026 ", "2026-11-20" },
        { "20.11.2026 9", "20.11.2026 9" },
        { "20.11.20261", "20.11.20261" },
        { "120.11.2026", "120.11.2026" },
    };
    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        char text[100], rows[100];
        snprintf(text, sizeof(text), "Order Id;Sale Amount\n1,0;%s\n", amounts[i].cell);
        snprintf(rows, sizeof(rows), "[{\"OrderId\":\"1,0\",\"TransactionAmount\":\"%s\"}]",
                 amounts[i].semicolon);
        expect_rows(text, rows);
        snprintf(text, sizeof(text), "Order Id\tSale Amount\n1,0\t%s\n", amounts[i].cell);
        snprintf(rows, sizeof(rows), "[{\"OrderId\":\"1,0\",\"TransactionAmount\":\"%s\"}]",
                 amounts[i].tab);
        expect_rows(text, rows);
        snprintf(text, sizeof(text), "Order Id,Sale Amount\n1,\"%s\"\n", amounts[i].cell);
        snprintf(rows, sizeof(rows), "[{\"OrderId\":\"1\",\"TransactionAmount\":\"%s\"}]",
                 amounts[i].comma);
        expect_rows(text, rows);
    }
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char text[100], rows[100];
        snprintf(text, sizeof(text), "Order Id;Transaction Date\n%s;%s\n", "1.1.2026",
                 dates[i].cell);
        snprintf(rows, sizeof(rows), "[{\"OrderId\":\"1.1.2026\",\"TransactionDate\":\"%s\"}]",
                 dates[i].date);
        expect_rows(text, rows);
    }
}

static void test_rows_have_the_lines_of_the_spreadsheet(void **state)
{
    /* I7: a row of many lines is one, a blank one counts, `sep=` is not shown; and the bad rows
     * make a file that can be read again. */
    (void)state;
    static const char text[] =
        "sep=;\r\nOrder Id;Sale Amount\r\n1;2\r\n\r\n\"two\nlines\";3\r\n;\r\n4;5";
    struct error error = { 0 };
    struct csv_file file, again;
    struct buf bad = { 0 };
    assert_true(csv_read(text, sizeof(text) - 1, columns, COLUMNS, &file, &error));
    assert_int_equal(json_array_size(file.rows), 3);
    assert_int_equal(file.header.line, 1);
    assert_int_equal(file.at[0].line, 2);
    assert_int_equal(file.at[1].line, 4);
    assert_int_equal(file.at[2].line, 6);
    csv_problems_start(&file, &bad);
    csv_problem(&file, 1, "Order Id: \"bad\"; and more", &bad);
    csv_problem(&file, 2, "=1+2", &bad);
    assert_string_equal(bad.data, "\xef\xbb\xbfsep=;\r\nProblem;Order Id;Sale Amount\r\n"
                                  "\"Order Id: \"\"bad\"\"; and more\";\"two\nlines\";3\r\n"
                                  "'=1+2;4;5\r\n");
    assert_true(csv_read(bad.data, bad.len, columns, COLUMNS, &again, &error));
    assert_int_equal(json_array_size(again.notices), 0);
    assert_true(json_equal(json_array_get(again.rows, 0), json_array_get(file.rows, 1)));
    assert_true(json_equal(json_array_get(again.rows, 1), json_array_get(file.rows, 2)));
    csv_file_free(&again);
    csv_file_free(&file);
    buf_free(&bad);
}

static void test_bad_rows_of_a_file_of_bad_rows(void **state)
{
    /* The new problems stand in place of the old, and do not count as a column. */
    (void)state;
    struct error error = { 0 };
    struct csv_file file, again;
    struct buf text = { 0 }, bad = { 0 };
    buf_str(&text, "Order Id");
    for (int i = 1; i < CSV_COLUMNS_MAX; i++)
        buf_char(&text, ',');
    buf_str(&text, "Sale Amount\r\n\"A;\"\"1\",");
    assert_true(csv_read(text.data, text.len, columns, COLUMNS, &file, &error));
    for (int round = 0; round < 3; round++) {
        buf_reset(&bad);
        csv_problems_start(&file, &bad);
        csv_problem(&file, 0, round % 2 == 0 ? "a \"word\", or two" : "another", &bad);
        if (!csv_read(bad.data, bad.len, columns, COLUMNS, &again, &error))
            fail_msg("round %d: %s", round, error.message);
        assert_true(json_equal(again.rows, file.rows));
        csv_file_free(&file);
        file = again;
    }
    buf_reset(&text);
    buf_str(&text, "\xef\xbb\xbfProblem,Order Id");
    for (int i = 1; i < CSV_COLUMNS_MAX; i++)
        buf_char(&text, ',');
    buf_str(&text, "Sale Amount\r\n\"a \"\"word\"\", or two\",\"A;\"\"1\",\r\n");
    assert_string_equal(bad.data, text.data);
    csv_file_free(&file);
    buf_free(&bad);
    buf_free(&text);
}

static void test_a_needed_column_is_missed_once(void **state)
{
    /* I7: all of them in one sentence, whatever the number of rows; either of two will do. */
    (void)state;
    static const struct csv_column needed[] = {
        { "Campaign Id", "CampaignId", CSV_TEXT, "CampaignName" },
        { "Campaign Name", "CampaignName", CSV_TEXT, NULL },
        { "Order Id", "OrderId", CSV_TEXT, "OrderId" },
        { "Type", "InquiryType", CSV_TEXT, "InquiryType" },
        { "Notes", "InquiryNotes", CSV_TEXT, NULL },
    };
    struct error error = { 0 };
    struct csv_file file;
    assert_false(csv_read("Notes\nx\ny\n", 10, needed, 5, &file, &error));
    assert_string_equal(error.message,
                        "Line 1: the columns \"Campaign Id\", \"Order Id\", \"Type\" "
                        "are missing, which every row needs");
    error = (struct error){ 0 };
    assert_false(csv_read("campaign name,type\nx,y\n", 22, needed, 5, &file, &error));
    assert_string_equal(error.message,
                        "Line 1: the column \"Order Id\" is missing, which every row needs");
    assert_true(csv_read("CampaignId,type,order id\nx,y,z\n", 31, needed, 5, &file, &error));
    csv_file_free(&file);
}

static void test_what_is_wrong_is_said_with_its_line(void **state)
{
    (void)state;
    EXPECT_ERROR("", "Line 1: the file is empty");
    EXPECT_ERROR("\xef\xbb\xbf", "Line 1: the file is empty");
    EXPECT_ERROR("Colour\n", "Line 1: unknown column \"Colour\"");
    EXPECT_ERROR("Order Id,OrderId\n", "Line 1: the column \"Order Id\" is there twice");
    EXPECT_ERROR("Order Id\n\"two\nlines\"\n\n1,2\n",
                 "Line 4: has something in cell 2, where the header has 1 columns");
    EXPECT_ERROR("Order Id\n\"a\nb\",c\n", "Line 2: has something in cell 2");
    EXPECT_ERROR("Order Id\n1\na\"b\n", "Line 3: a quote stands where none may");
    EXPECT_ERROR("Order Id\n1\n\"a\"b\n", "Line 3: a quote stands where none may");
    EXPECT_ERROR("Order Id\n1\n\"a\nb\nc", "Line 3: a quote is opened here and never closed");
    EXPECT_ERROR("Order Id\n1\n\xff\xc3\xa9\n", "Line 3: is not UTF-8");
    EXPECT_ERROR("Order Id\n1\n\x81\n", "Line 3: is not UTF-8");
    EXPECT_ERROR("\xef\xbb\xbfOrder Id\n\xe9\n", "Line 2: is not UTF-8");
    EXPECT_ERROR("\xff\xfeO\0\n\0\0\0", "Line 2: is not UTF-8");
    EXPECT_ERROR("\xff\xfeO\0r", "Line 1: is not UTF-8");
    EXPECT_ERROR("\xff\xfe\0\xd8O\0", "Line 1: is not UTF-8");
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
    struct csv_file file;
    assert_true(csv_read(text.data, text.len, columns, COLUMNS, &file, &error));
    assert_int_equal(json_array_size(file.rows), CSV_ROWS_MAX);
    csv_file_free(&file);
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
        { "+cmd|' /C calc'!A0", "\"'+cmd|' /C calc'!A0\"" },
        { "-2+3", "'-2+3" },
        { "\t=1", "\"'\t'=1\"" },
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
        /* I8: wherever a spreadsheet may split, what comes behind is no formula either */
        { "A1;=1+2", "\"A1;'=1+2\"" },
        { "A1,=1+2", "\"A1,'=1+2\"" },
        { "A1\t=1+2", "\"A1\t'=1+2\"" },
        { "A1|@x", "\"A1|'@x\"" },
        { "A1\n+1", "\"A1\n'+1\"" },
        { "A1\r\n-1", "\"A1\r\n'-1\"" },
        { "a;-5", "\"a;'-5\"" },
        { "a;\"=1\"", "\"a;'\"\"=1\"\"\"" },
        { "a;b=c", "\"a;b=c\"" },
        { ";;=1;'=2", "\";;'=1;''=2\"" },
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
        "A1;=1+2",
        "a;'=1",
        "a;''\"'=1",
        "a|@b|'@b|c",
        ";\t=;\t'=",
        "a\n=1\n'=1",
        "a\r\n=1",
        "\"=1;\"=2",
        ";;;",
        "x;-5",
        "x;'-5",
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
    struct csv_file file;
    if (!csv_read(out.data, out.len, columns, COLUMNS, &file, &error))
        fail_msg("%s", error.message);
    assert_int_equal(json_array_size(file.rows), CELLS + 1);
    for (size_t i = 0; i < CELLS; i++) {
        json_t *row = json_array_get(file.rows, i);
        assert_string_equal(json_string_value(json_object_get(row, "OrderId")), cells[i]);
        assert_string_equal(json_string_value(json_object_get(row, "TransactionAmount")),
                            cells[CELLS - 1 - i]);
    }
    csv_file_free(&file);
    buf_free(&out);
}

/* Read in parts, the rows and their lines are those of the whole. */
static void expect_parts(const char *text, size_t len, size_t parts)
{
    struct error error = { 0 };
    struct csv_file whole, places, file;
    size_t row = 0, lines_before, made = 0;
    assert_true(csv_read(text, len, columns, COLUMNS, &whole, &error));
    assert_true(csv_places(text, len, columns, COLUMNS, &places, &error));
    assert_int_equal(places.count, whole.count);
    assert_int_equal(json_array_size(places.rows), 0);
    while (row < places.count) {
        struct buf part = { 0 };
        size_t rows = csv_part(&places, row, &part, &lines_before);
        assert_in_range(rows, 1, CSV_PART_ROWS);
        if (!csv_read(buf_text(&part), part.len, columns, COLUMNS, &file, &error))
            fail_msg("a part is not read: %s", error.message);
        assert_int_equal(file.count, rows);
        assert_int_equal(file.separator, whole.separator);
        for (size_t i = 0; i < rows; i++) {
            assert_true(
                json_equal(json_array_get(file.rows, i), json_array_get(whole.rows, row + i)));
            assert_int_equal(file.at[i].line + lines_before, whole.at[row + i].line);
        }
        row += rows;
        made++;
        csv_file_free(&file);
        buf_free(&part);
    }
    assert_int_equal(made, parts);
    csv_file_free(&whole);
    csv_file_free(&places);
}

#define EXPECT_PARTS(text, parts) expect_parts(text, sizeof(text) - 1, parts)

static void test_parts_are_read_as_the_whole_is(void **state)
{
    (void)state;
    struct buf many = { 0 };
    EXPECT_PARTS("Order Id,Sale Amount\n", 0);
    EXPECT_PARTS("Order Id,Sale Amount\n1,2", 1);
    EXPECT_PARTS("sep=;\r\nOrder Id;Sale Amount\r\n\"a\nb\";2,50\r\n\r\n\"c\"\"d\";1.000,5\r\n", 1);
    EXPECT_PARTS("\xff\xfeO\0r\0d\0e\0r\0 \0I\0d\0\n\0\xe9\0\n\0", 1);
    EXPECT_PARTS("Order Id\rx\ry\r", 1);
    buf_str(&many, "\"Order\n Id\",Sale Amount,Other\r\n");
    for (int i = 0; i < 250; i++)
        buf_fmt(&many, "\"A%d\nB\",%d.50,\"x;\"\r\n%s", i, i, i % 50 == 7 ? "\r\n,,\r\n" : "");
    expect_parts(buf_text(&many), many.len, 3);
    for (int i = 0; i < 100; i++)
        buf_str(&many, "\n");
    buf_str(&many, "far,1\n");
    expect_parts(buf_text(&many), many.len, 4); /* where there is a long gap too */
    buf_reset(&many);
    buf_str(&many, "Order Id\n");
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < CSV_PART_BYTES; j++)
            buf_char(&many, 'x');
        buf_char(&many, '\n');
    }
    expect_parts(buf_text(&many), many.len, 3); /* one row at least */
    buf_free(&many);
}

static void test_places_are_found_where_rows_are_read(void **state)
{
    (void)state;
    struct error error = { 0 };
    struct csv_file file;
    struct buf many = { 0 };
    buf_str(&many, "Order Id\n");
    for (int i = 0; i < CSV_ROWS_MAX + 1; i++)
        buf_str(&many, "x\n");
    assert_false(csv_read(buf_text(&many), many.len, columns, COLUMNS, &file, &error));
    assert_true(csv_places(buf_text(&many), many.len, columns, COLUMNS, &file, &error));
    assert_int_equal(file.count, CSV_ROWS_MAX + 1);
    csv_file_free(&file);
    buf_str(&many, "\"x\n");
    assert_false(csv_places(buf_text(&many), many.len, columns, COLUMNS, &file, &error));
    buf_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_titles_are_read_as_people_write_them),
        cmocka_unit_test(test_a_known_column_without_a_field_is_left_out),
        cmocka_unit_test(test_quoted_cells),
        cmocka_unit_test(test_blank_lines_and_empty_rows_are_left_out),
        cmocka_unit_test(test_files_as_spreadsheets_save_them),
        cmocka_unit_test(test_amounts_and_dates_where_a_comma_is_the_decimal_sign),
        cmocka_unit_test(test_rows_have_the_lines_of_the_spreadsheet),
        cmocka_unit_test(test_bad_rows_of_a_file_of_bad_rows),
        cmocka_unit_test(test_a_needed_column_is_missed_once),
        cmocka_unit_test(test_what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(test_caps_on_rows_columns_and_cells),
        cmocka_unit_test(test_formulas_are_disarmed),
        cmocka_unit_test(test_hostile_cells_come_back_as_they_went),
        cmocka_unit_test(test_parts_are_read_as_the_whole_is),
        cmocka_unit_test(test_places_are_found_where_rows_are_read),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
