/* inquiry_test.c — the fields of an action inquiry, its life, the brand's decision, what is shown.
 */
#include "base/fail.h"
#include "model/catalog.h"
#include "model/event.h"
#include "model/inquiry.h"
#include "model/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now = 1795459217000; /* 2026-11-23T18:40:17Z */

/* As our reader gives what a client wrote. */
static json_t *fields_of(const char *text)
{
    struct json_fault fault;
    json_t *read = json_read(text, strlen(text), &fault);
    assert_non_null(read);
    return read;
}

static const char good[] =
    "{\"CampaignId\":\"1001\",\"OrderId\":\"ORD-1\",\"TransactionDate\":\"2026-11-20\","
    "\"TransactionAmount\":\"129.90\",\"Currency\":\"EUR\",\"InquiryType\":\"UNTRACKED\"}";

/* The good inquiry with one member set to a JSON value (NULL: taken out). */
static json_t *good_but(const char *name, json_t *value)
{
    json_t *from = fields_of(good);
    if (value != NULL)
        json_object_set_new(from, name, value);
    else
        json_object_del(from, name);
    return from;
}

static void read_good(struct inquiry *inquiry)
{
    struct problems problems = { 0 };
    json_t *from = fields_of(good);
    inquiry_read(inquiry, from, NULL, now, &problems);
    assert_int_equal(problems.count, 0);
    json_decref(from);
}

/* Reads and expects exactly one problem, of this field, with these words. */
static void expect_refused(json_t *from, const char *field, const char *words)
{
    struct inquiry inquiry;
    struct problems problems = { 0 };
    inquiry_read(&inquiry, from, NULL, now, &problems);
    if (problems.count != 1)
        fail_msg("%s: expected one problem, got %zu", field, problems.count);
    assert_string_equal(problems.items[0].field, field);
    if (strstr(problems.items[0].message, words) == NULL)
        fail_msg("%s: expected \"%s\", got \"%s\"", field, words, problems.items[0].message);
    problems_free(&problems);
    inquiry_free(&inquiry);
    json_decref(from);
}

static void expect_taken(json_t *from)
{
    struct inquiry inquiry;
    struct problems problems = { 0 };
    inquiry_read(&inquiry, from, NULL, now, &problems);
    if (problems.count != 0)
        fail_msg("%s %s", problems.items[0].field, problems.items[0].message);
    inquiry_free(&inquiry);
    json_decref(from);
}

static json_t *repeated(const char *piece, size_t times)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < times; i++)
        buf_str(&text, piece);
    json_t *value = json_string(buf_text(&text));
    buf_free(&text);
    return value;
}

/* ---- reading ---- */

static void test_every_field_is_read(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct problems problems = { 0 };
    json_t *from = fields_of("{\"CampaignId\":1001,\"OrderId\":\" ORD-1 \",\"TransactionDate\":"
                             "\"2026-11-20T10:00:00+01:00\",\"TransactionAmount\":129.9,"
                             "\"Currency\":\"eur\",\"InquiryType\":\"Order tracked incorrectly\","
                             "\"ExpectedPayout\":\"6.5\",\"ResolutionDeadlineDate\":\"2026-12-20\","
                             "\"TrackingLink\":\"https://a.example/c?x=1\",\"CustomerId\":\"C-1\","
                             "\"InquiryDate\":\"2026-11-22\",\"InquiryNotes\":\"one\\ntwo\","
                             "\"MediaPartnerInquiryId\":\"INQ7\"}");
    inquiry_read(&inquiry, from, NULL, now, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(inquiry.campaign, 1001);
    assert_string_equal(inquiry.order_id, "ORD-1");
    assert_int_equal(inquiry.transaction_at, 1795165200000);
    assert_int_equal(inquiry.amount, 12990);
    assert_string_equal(inquiry.currency, "EUR");
    assert_int_equal(inquiry.type, INQUIRY_INCORRECT);
    assert_int_equal(inquiry.expected_payout, 650);
    assert_int_equal(inquiry.resolution_deadline_at, 1797724800000);
    assert_string_equal(inquiry.tracking_link, "https://a.example/c?x=1");
    assert_string_equal(inquiry.customer_id, "C-1");
    assert_int_equal(inquiry.inquiry_at, 1795305600000);
    assert_string_equal(inquiry.notes, "one\ntwo");
    assert_string_equal(inquiry.reference, "INQ7");
    assert_int_equal(inquiry.status, 0);
    assert_int_equal(inquiry.reject_reason, -1);
    inquiry_free(&inquiry);
    json_decref(from);
}

static void test_all_that_is_missing_is_named_at_once(void **state)
{
    (void)state;
    static const char *const required[] = { "CampaignId",  "OrderId",  "TransactionDate",
                                            "InquiryType", "Currency", "TransactionAmount" };
    struct inquiry inquiry;
    struct problems problems = { 0 };
    json_t *from = fields_of("{\"OrderId\":\"  \",\"InquiryType\":null}");
    inquiry_read(&inquiry, from, NULL, now, &problems);
    assert_int_equal(problems.count, 6);
    for (size_t i = 0; i < problems.count; i++) {
        assert_string_equal(problems.items[i].field, required[i]);
        assert_non_null(strstr(problems.items[i].message, "is required: "));
    }
    problems_free(&problems);
    inquiry_free(&inquiry);
    json_decref(from);
}

static void test_each_wrong_field_says_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value, *words;
    } cases[] = {
        { "CampaignId", "abc", "whole number above 0" },
        { "CampaignId", "0", "whole number above 0" },
        { "CampaignId", "-5", "whole number above 0" },
        { "CampaignId", "99999999999999999999", "whole number above 0" },
        { "OrderId", "a\nb", "one line" },
        { "OrderId", "a\x01z", "control characters" },
        { "MediaPartnerInquiryId", "INQ\n7", "one line without control characters" },
        { "MediaPartnerInquiryId", "INQ\x7f", "one line without control characters" },
        { "TransactionDate", "yesterday", "ISO 8601" },
        { "TransactionDate", "2026-13-01", "ISO 8601" },
        { "TransactionDate", "2026-11-25", "not be in the future" },
        { "InquiryDate", "2027-01-01", "not be in the future" },
        { "ResolutionDeadlineDate", "soon", "ISO 8601" },
        { "TransactionAmount", "0", "above 0" },
        { "TransactionAmount", "-1", "above 0" },
        { "TransactionAmount", "5000000.01", "at most 5000000" },
        { "TransactionAmount", "12.345", "must" },
        { "TransactionAmount", "1,000", "must be a decimal number" },
        { "TransactionAmount", "1e3", "must be a decimal number" },
        { "ExpectedPayout", "-0.01", "0 or more" },
        { "ExpectedPayout", "5000000.01", "at most 5000000" },
        { "Currency", "EURO", "ISO 4217" },
        { "Currency", "XQZ", "ISO 4217" },
        { "InquiryType", "LOST", "UNTRACKED" },
        { "TrackingLink", "javascript:alert(1)", "http" },
        { "TrackingLink", "www.example.com", "http" },
        { "InquiryNotes", "a\x02", "control characters" },
        { "Colour", "red", "not a field" },
        { "InquiryId", "INQ7", "not a field" },
        { "ResolutionStatus", "VALID", "not a field" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_refused(good_but(cases[i].field, json_string(cases[i].value)), cases[i].field,
                       cases[i].words);
    /* I1: a text given as a number that is none to count with; an amount is exact as written */
    static const char *const rounded[] = { "5.766e17", "1.0", "1e3", "-0", "12.50" };
    for (size_t i = 0; i < sizeof(rounded) / sizeof(rounded[0]); i++) {
        expect_refused(good_but("OrderId", fields_of(rounded[i])), "OrderId",
                       "write it as a string");
        expect_refused(good_but("CustomerId", fields_of(rounded[i])), "CustomerId", "as a string");
        expect_refused(good_but("CampaignId", fields_of(rounded[i])), "CampaignId", "whole number");
        expect_refused(good_but("TransactionDate", fields_of(rounded[i])), "TransactionDate",
                       "ISO");
    }
    expect_refused(good_but("TransactionAmount", fields_of("1e3")), "TransactionAmount", "decimal");
    expect_refused(good_but("TransactionAmount", fields_of("10.5000000000000000001")),
                   "TransactionAmount", "decimal");
    expect_refused(good_but("OrderId", json_true()), "OrderId", "text or a number");
    expect_refused(good_but("OrderId", json_array()), "OrderId", "text or a number");
    expect_refused(good_but("CampaignId", json_object()), "CampaignId", "text or a number");
    expect_refused(good_but("TransactionAmount", fields_of("1e300")), "TransactionAmount", "must");
}

static void test_what_stands_at_the_edge_is_taken(void **state)
{
    (void)state;
    expect_taken(good_but("TransactionAmount", json_string("5000000.00")));
    expect_taken(good_but("TransactionAmount", json_string("0.01")));
    expect_taken(good_but("TransactionAmount", json_integer(5000000)));
    expect_taken(good_but("TransactionAmount", fields_of("0.10")));
    expect_taken(good_but("ExpectedPayout", json_string("0")));
    expect_taken(good_but("TransactionDate", json_string("2026-11-24T18:40:17Z")));
    expect_refused(good_but("TransactionDate", json_string("2026-11-24T18:40:18Z")),
                   "TransactionDate", "not be in the future");
    expect_taken(good_but("InquiryType", json_string("declined")));
    expect_taken(good_but("CustomerId", json_null()));
    expect_taken(good_but("CustomerId", json_string("")));
}

static void test_lengths_count_characters(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        size_t most;
    } cases[] = {
        { "OrderId", 200 },
        { "CustomerId", 200 },
        { "InquiryNotes", 4000 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_taken(good_but(cases[i].field, repeated("\xf0\x9f\x91\x9f", cases[i].most)));
        expect_refused(good_but(cases[i].field, repeated("x", cases[i].most + 1)), cases[i].field,
                       "at most");
    }
    expect_refused(good_but("TrackingLink", repeated("https://", 251)), "TrackingLink", "2000");
    expect_taken(good_but("TrackingLink", repeated("https://", 250)));
}

static void test_amounts_have_the_decimals_of_their_currency(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct problems problems = { 0 };
    json_t *from = good_but("Currency", json_string("JPY"));
    json_object_set_new(from, "TransactionAmount", json_string("5000000"));
    inquiry_read(&inquiry, from, NULL, now, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(inquiry.amount, 5000000);
    inquiry_free(&inquiry);
    json_object_set_new(from, "TransactionAmount", json_string("129.90"));
    expect_refused(from, "TransactionAmount", "must");

    from = good_but("Currency", json_string("KWD"));
    json_object_set_new(from, "TransactionAmount", json_string("1.005"));
    inquiry_read(&inquiry, from, NULL, now, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(inquiry.amount, 1005);
    inquiry_free(&inquiry);
    json_decref(from);
}

static const char *loud(const char *field)
{
    return strcmp(field, "TransactionAmount") == 0 ? "Sale Amount" : field;
}

static void test_problems_use_the_clients_own_names(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct problems problems = { 0 };
    json_t *from = good_but("TransactionAmount", json_string("much"));
    inquiry_read(&inquiry, from, loud, now, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].field, "Sale Amount");
    problems_free(&problems);
    inquiry_free(&inquiry);
    json_decref(from);
}

static void test_a_comment_is_a_text(void **state)
{
    (void)state;
    static const char *const wrong[] = { "{}", "{\"Comment\":\" \"}", "{\"Comment\":[]}" };
    struct problems problems = { 0 };
    json_t *from = fields_of("{\"Comment\":\"Please look\\nagain\"}");
    char *text = comment_read(from, &problems);
    assert_string_equal(text, "Please look\nagain");
    free(text);
    json_object_set_new(from, "Comment", repeated("x", 4001));
    assert_null(comment_read(from, &problems));
    assert_int_equal(problems.count, 1);
    json_decref(from);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        from = fields_of(wrong[i]);
        assert_null(comment_read(from, &problems));
        assert_int_equal(problems.count, i + 2);
        json_decref(from);
    }
    problems_free(&problems);
}

/* ---- life ---- */

static void set_out(struct inquiry *inquiry, int status, int state)
{
    read_good(inquiry);
    inquiry->id = 12;
    inquiry->status = (enum inquiry_status)status;
    inquiry->state = (enum inquiry_state)state;
}

/* DOMAIN's table, written a second time: what each step leads to, "" where it is refused. */
static void test_only_the_tables_steps_may_be_taken(void **state)
{
    (void)state;
    static const struct {
        enum inquiry_step step;
        int from, to;
    } allowed[] = {
        { STEP_ACCEPT, STATUS_UNRESOLVED, STATUS_VALID },
        { STEP_DECLINE, STATUS_UNRESOLVED, STATUS_DECLINED },
        { STEP_ASK, STATUS_UNRESOLVED, STATUS_INCOMPLETE },
        { STEP_REPLY, STATUS_INCOMPLETE, STATUS_UNRESOLVED },
        { STEP_REOPEN, STATUS_DECLINED, STATUS_UNRESOLVED },
        { STEP_CLOSE, STATUS_UNRESOLVED, STATUS_UNRESOLVED },
        { STEP_CLOSE, STATUS_VALID, STATUS_VALID },
        { STEP_CLOSE, STATUS_DECLINED, STATUS_DECLINED },
        { STEP_CLOSE, STATUS_INCOMPLETE, STATUS_INCOMPLETE },
    };
    size_t taken = 0;
    for (int status = STATUS_UNRESOLVED; status <= STATUS_INCOMPLETE; status++) {
        for (int open = INQUIRY_OPEN; open <= INQUIRY_CLOSED; open++) {
            for (int step = STEP_OPEN; step <= STEP_CLOSE; step++) {
                int to = 0;
                for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
                    if (open == INQUIRY_OPEN && (int)allowed[i].step == step &&
                        allowed[i].from == status)
                        to = allowed[i].to;
                struct inquiry inquiry;
                struct error error = { 0 };
                set_out(&inquiry, status, open);
                bool done = inquiry_step(&inquiry, (enum inquiry_step)step, now, &error);
                if (done != (to != 0))
                    fail_msg("status %d, state %d, step %d: got %d", status, open, step, done);
                assert_int_equal(inquiry.status, to != 0 ? to : status);
                assert_int_equal(inquiry.state,
                                 to != 0 && step == STEP_CLOSE ? INQUIRY_CLOSED : open);
                assert_int_equal(error.kind, to != 0 ? ERROR_NONE : ERROR_CONFLICT);
                taken += done;
                inquiry_free(&inquiry);
            }
        }
    }
    assert_int_equal(taken, 9);
}

static void test_a_new_inquiry_is_open_and_unresolved(void **state)
{
    (void)state;
    struct inquiry inquiry;
    read_good(&inquiry);
    assert_true(inquiry_step(&inquiry, STEP_OPEN, now, NULL));
    assert_int_equal(inquiry.status, STATUS_UNRESOLVED);
    assert_int_equal(inquiry.state, INQUIRY_OPEN);
    assert_int_equal(inquiry.created_at, now);
    assert_false(inquiry_step(&inquiry, STEP_OPEN, now, NULL));
    inquiry_free(&inquiry);
}

static void expect_words(int status, int at, enum inquiry_step step, const char *words)
{
    struct inquiry inquiry;
    struct error error = { 0 };
    set_out(&inquiry, status, at);
    assert_false(inquiry_step(&inquiry, step, now, &error));
    assert_string_equal(error.message, words);
    inquiry_free(&inquiry);
}

static void test_a_refusal_says_why(void **state)
{
    (void)state;
    expect_words(STATUS_UNRESOLVED, INQUIRY_CLOSED, STEP_DECLINE,
                 "Inquiry 12 is CLOSED; only an open, unresolved inquiry can be declined");
    expect_words(STATUS_VALID, INQUIRY_OPEN, STEP_DECLINE,
                 "Inquiry 12 is VALID, and a VALID inquiry never changes; only an open, unresolved "
                 "inquiry can be declined");
    expect_words(STATUS_UNRESOLVED, INQUIRY_OPEN, STEP_REOPEN,
                 "Inquiry 12 is UNRESOLVED; only an open, declined inquiry can be reopened");
    expect_words(STATUS_DECLINED, INQUIRY_CLOSED, STEP_CLOSE,
                 "Inquiry 12 is CLOSED; only an open inquiry can be closed");
}

static void test_it_is_reopened_only_once(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct error error = { 0 };
    set_out(&inquiry, STATUS_UNRESOLVED, INQUIRY_OPEN);
    inquiry.auto_approval_at = now - 1;
    assert_true(inquiry_step(&inquiry, STEP_DECLINE, now, &error));
    inquiry.reject_reason = 5;
    assert_int_equal(inquiry.resolved_at, now);
    assert_true(inquiry_step(&inquiry, STEP_REOPEN, now + 1, &error));
    assert_int_equal(inquiry.reject_reason, -1);
    assert_true(inquiry.resolved_at == DATE_NONE);
    assert_true(inquiry.auto_approval_at == DATE_NONE); /* no rule overrules the decline now */
    assert_true(inquiry_step(&inquiry, STEP_DECLINE, now + 2, &error));
    assert_false(inquiry_step(&inquiry, STEP_REOPEN, now + 3, &error));
    assert_non_null(strstr(error.message, "only once"));
    assert_int_equal(inquiry.status, STATUS_DECLINED);
    inquiry_free(&inquiry);
}

static void test_each_step_has_its_event(void **state)
{
    (void)state;
    static const char *const events[] = {
        [STEP_OPEN] = "action_inquiry.opened",      [STEP_ACCEPT] = "action_inquiry.resolved",
        [STEP_DECLINE] = "action_inquiry.resolved", [STEP_ASK] = "action_inquiry.incomplete",
        [STEP_REPLY] = "action_inquiry.replied",    [STEP_REOPEN] = "action_inquiry.reopened",
        [STEP_CLOSE] = "action_inquiry.closed",
    };
    for (int step = STEP_OPEN; step <= STEP_CLOSE; step++) {
        assert_string_equal(inquiry_step_event((enum inquiry_step)step), events[step]);
        assert_non_null(catalog_type(events[step]));
    }
}

/* ---- the brand's decision ---- */

/* Applies the decision to an open inquiry; gives the field of the first problem, "conflict", or
 * "" when it was taken. */
static const char *decide(const char *text, struct inquiry *inquiry, struct resolution *resolution)
{
    static char field[80];
    struct problems problems = { 0 };
    struct error error = { 0 };
    json_t *from = fields_of(text);
    resolution_read(resolution, from, NULL, &problems);
    json_decref(from);
    field[0] = '\0';
    if (problems.count == 0 && !resolution_apply(resolution, inquiry, now, &problems, &error))
        strcpy(field, "conflict");
    if (problems.count > 0)
        snprintf(field, sizeof(field), "%s", problems.items[0].field);
    problems_free(&problems);
    return field;
}

static void test_a_decision_is_applied_whole(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct resolution resolution;
    set_out(&inquiry, STATUS_UNRESOLVED, INQUIRY_OPEN);
    assert_string_equal(
        decide("{\"Id\":\"12\",\"ResolutionStatus\":\"VALID\",\"ActionTrackerId\":\"7\","
               "\"TransactionAmount\":\"99.50\",\"FinalPayout\":\"5\",\"PromoCode\":\"TEN\","
               "\"ResolutionNotes\":\"Found it\",\"CustomerId\":\"C-9\","
               "\"TransactionDate\":\"2026-11-19\",\"ItemSku2\":\"B\",\"ItemSku1\":\"A\","
               "\"ItemQuantity1\":\"3\",\"itemsubtotal1\":\"9.50\"}",
               &inquiry, &resolution),
        "");
    assert_int_equal(resolution.id, 12);
    assert_int_equal(resolution.tracker, 7);
    assert_int_equal(inquiry.status, STATUS_VALID);
    assert_int_equal(inquiry.amount, 9950);
    assert_int_equal(inquiry.final_payout, 500);
    assert_string_equal(inquiry.promo_code, "TEN");
    assert_string_equal(inquiry.resolution_notes, "Found it");
    assert_null(inquiry.customer_id); /* C6: the brand's own is the action's */
    assert_string_equal(resolution.customer_id, "C-9");
    assert_int_equal(inquiry.transaction_at, 1795046400000);
    char *items = json_dumps(resolution.items, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(items,
                        "[{\"Amount\":\"9.50\",\"Quantity\":\"3\",\"Sku\":\"A\"},{\"Sku\":\"B\"}]");
    free(items);
    resolution_free(&resolution);
    inquiry_free(&inquiry);
}

/* C1: every published name of an item's field; C10: a reason to reject means nothing here. */
static void test_all_published_item_names_are_taken(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct resolution resolution;
    set_out(&inquiry, STATUS_UNRESOLVED, INQUIRY_OPEN);
    assert_string_equal(
        decide("{\"Id\":12,\"ResolutionStatus\":\"VALID\",\"ActionTrackerId\":7,"
               "\"RejectReason\":\"Anything\",\"ItemSku1\":\"A\",\"ItemCategory1\":\"B\","
               "\"ItemName1\":\"C\",\"ItemSubCategory1\":\"D\",\"ItemMPN1\":\"E\","
               "\"ItemTotalRebate1\":\"5.0\",\"ItemQty1\":2,\"ItemSubtotal1\":9.5,"
               "\"ItemQty100\":\"1\",\"ItemSubTotal100\":\"1\"}",
               &inquiry, &resolution),
        "");
    assert_int_equal(resolution.reject_reason, -1);
    char *items = json_dumps(resolution.items, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(items, "[{\"Amount\":\"9.5\",\"Category\":\"B\",\"Mpn\":\"E\","
                               "\"Name\":\"C\",\"Quantity\":\"2\",\"Sku\":\"A\","
                               "\"SubCategory\":\"D\",\"TotalRebate\":\"5.0\"},"
                               "{\"Amount\":\"1\",\"Quantity\":\"1\"}]");
    free(items);
    resolution_free(&resolution);
    inquiry_free(&inquiry);
}

static void test_what_a_decision_leaves_out_stays(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct resolution resolution;
    set_out(&inquiry, STATUS_UNRESOLVED, INQUIRY_OPEN);
    inquiry.customer_id = must_copy("C-1");
    inquiry.expected_payout = 650;
    assert_string_equal(decide("{\"Id\":12,\"ResolutionStatus\":\"valid\",\"ActionTrackerId\":7,"
                               "\"CustomerId\":\"\",\"TransactionAmount\":\"\"}",
                               &inquiry, &resolution),
                        "");
    assert_string_equal(inquiry.customer_id, "C-1");
    assert_int_equal(inquiry.amount, 12990);
    assert_int_equal(inquiry.final_payout, 650); /* what was asked is granted */
    resolution_free(&resolution);
    inquiry_free(&inquiry);
}

static void test_a_wrong_decision_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *decision, *field;
    } cases[] = {
        { "{\"ResolutionStatus\":\"DECLINED\",\"RejectReason\":\"Other\"}", "Id" },
        { "{\"Id\":12}", "ResolutionStatus" },
        { "{\"Id\":12,\"ResolutionStatus\":\"UNRESOLVED\"}", "ResolutionStatus" },
        { "{\"Id\":12,\"ResolutionStatus\":\"MAYBE\"}", "ResolutionStatus" },
        { "{\"Id\":12,\"ResolutionStatus\":\"DECLINED\"}", "RejectReason" },
        { "{\"Id\":12,\"ResolutionStatus\":\"DECLINED\",\"RejectReason\":\"No\"}", "RejectReason" },
        { "{\"Id\":12,\"ResolutionStatus\":\"VALID\"}", "ActionTrackerId" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"FinalPayout\":\"1\"}", "FinalPayout" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"TransactionAmount\":\"1.005\"}",
          "TransactionAmount" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"TransactionDate\":\"2027-01-01\"}",
          "TransactionDate" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemQuantity1\":\"0\"}",
          "ItemQuantity1" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemSubtotal3\":\"x\"}",
          "ItemSubtotal3" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemSku101\":\"x\"}", "ItemSku101" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemSku\":\"x\"}", "ItemSku" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemSku01\":\"x\"}", "ItemSku01" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemSku0\":\"x\"}", "ItemSku0" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemQty1\":\"1.5\"}", "ItemQty1" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemTotalRebate1\":\"x\"}",
          "ItemTotalRebate1" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"ItemQty1\":\"1\","
          "\"ItemQuantity1\":\"2\"}",
          "ItemQuantity1" },
        { "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"Colour\":\"x\"}", "Colour" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct inquiry inquiry;
        struct resolution resolution;
        set_out(&inquiry, STATUS_UNRESOLVED, INQUIRY_OPEN);
        const char *field = decide(cases[i].decision, &inquiry, &resolution);
        if (strcmp(field, cases[i].field) != 0)
            fail_msg("%s: expected %s, got %s", cases[i].decision, cases[i].field, field);
        assert_int_equal(inquiry.status, STATUS_UNRESOLVED);
        assert_int_equal(inquiry.amount, 12990);
        resolution_free(&resolution);
        inquiry_free(&inquiry);
    }
}

static void test_a_refused_step_keeps_every_field(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct resolution resolution;
    set_out(&inquiry, STATUS_DECLINED, INQUIRY_OPEN);
    assert_string_equal(decide("{\"Id\":12,\"ResolutionStatus\":\"VALID\",\"ActionTrackerId\":7,"
                               "\"TransactionAmount\":\"1\",\"FinalPayout\":\"1\","
                               "\"PromoCode\":\"TEN\"}",
                               &inquiry, &resolution),
                        "conflict");
    assert_int_equal(inquiry.status, STATUS_DECLINED);
    assert_int_equal(inquiry.amount, 12990);
    assert_true(inquiry.final_payout == MONEY_NONE);
    assert_null(inquiry.promo_code);
    resolution_free(&resolution);
    inquiry_free(&inquiry);
}

static void test_what_is_decided_is_refused_for_that_alone(void **state)
{
    (void)state;
    static const char *const late[] = {
        "{\"Id\":12,\"ResolutionStatus\":\"DECLINED\",\"RejectReason\":\"Other\"}",
        "{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\",\"FinalPayout\":\"1\"}",
        "{\"Id\":12,\"ResolutionStatus\":\"VALID\",\"ActionTrackerId\":7,"
        "\"TransactionAmount\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        struct inquiry inquiry;
        struct resolution resolution;
        set_out(&inquiry, STATUS_VALID, INQUIRY_OPEN);
        inquiry.final_payout = 650;
        const char *field = decide(late[i], &inquiry, &resolution);
        if (strcmp(field, "conflict") != 0)
            fail_msg("%s: expected a conflict, got %s", late[i], field);
        assert_int_equal(inquiry.status, STATUS_VALID);
        assert_int_equal(inquiry.final_payout, 650);
        resolution_free(&resolution);
        inquiry_free(&inquiry);
    }
}

static void test_both_spellings_of_a_reject_reason(void **state)
{
    (void)state;
    size_t count;
    const char *const *reasons = reject_reasons(&count);
    assert_int_equal(count, 9);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(reject_reason_named(reasons[i]), i);
    assert_int_equal(reject_reason_named("Another marketing channel was credited with sale"), 1);
    assert_int_equal(reject_reason_named("Another marketing channel was credited with sale, due to "
                                         "a voucher/discount code used"),
                     2);
    assert_int_equal(reject_reason_named("other"), 8);
    assert_int_equal(reject_reason_named(""), -1);
}

static void test_too_many_item_bytes_are_refused(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct resolution resolution;
    json_t *from = fields_of("{\"Id\":12,\"ResolutionStatus\":\"INCOMPLETE\"}");
    for (int i = 1; i <= 100; i++) {
        char name[20];
        snprintf(name, sizeof(name), "ItemSku%d", i);
        json_object_set_new(from, name, repeated("\xf0\x9f\x91\x9f", 200));
    }
    resolution_read(&resolution, from, NULL, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].field, "Items");
    problems_free(&problems);
    resolution_free(&resolution);
    json_decref(from);
}

/* ---- showing ---- */

static void fill(struct inquiry *inquiry)
{
    set_out(inquiry, STATUS_DECLINED, INQUIRY_CLOSED);
    inquiry->partner = 34;
    inquiry->brand = 56;
    inquiry->campaign_name = must_copy("Acme \"Outdoor\"");
    inquiry->partner_name = must_copy("Trail Deals");
    inquiry->partner_sid = must_copy("PAabc");
    inquiry->brand_sid = must_copy("BRdef");
    inquiry->reference = must_copy("INQ7");
    inquiry->customer_id = must_copy("C-1");
    inquiry->notes = must_copy("private words");
    inquiry->inquiry_at = now;
    inquiry->created_at = now;
    inquiry->reject_reason = 8;
    inquiry->action = 0;
    inquiry->comments = must_alloc(sizeof(*inquiry->comments));
    inquiry->comments[0] = (struct comment){ must_copy("Dana"), must_copy("Why?"), now };
    inquiry->comment_count = 1;
}

static void test_the_partner_sees_everything_in_order(void **state)
{
    (void)state;
    struct inquiry inquiry;
    fill(&inquiry);
    json_t *shown = inquiry_show(&inquiry, false);
    char *text = json_dumps(shown, JSON_COMPACT);
    assert_string_equal(
        text,
        "{\"Id\":\"12\",\"MediaPartnerInquiryId\":\"INQ7\",\"CampaignId\":\"1001\","
        "\"CampaignName\":\"Acme \\\"Outdoor\\\"\",\"OrderId\":\"ORD-1\","
        "\"TransactionDate\":\"2026-11-20T00:00:00+00:00\",\"TransactionAmount\":\"129.90\","
        "\"Currency\":\"EUR\",\"InquiryType\":\"UNTRACKED\",\"ExpectedPayout\":\"\","
        "\"ResolutionDeadlineDate\":\"\",\"TrackingLink\":\"\",\"CustomerId\":\"C-1\","
        "\"InquiryDate\":\"2026-11-23T18:40:17+00:00\",\"InquiryNotes\":\"private words\","
        "\"Comments\":[{\"User\":\"Dana\",\"Comment\":\"Why?\","
        "\"Date\":\"2026-11-23T18:40:17+00:00\"}],\"ActionId\":\"\",\"ActionUri\":\"\","
        "\"AutoApprovalDate\":\"\",\"ResolutionStatus\":\"DECLINED\",\"RejectReason\":\"Other\","
        "\"FinalPayout\":\"\",\"ResolutionDate\":\"\","
        "\"CreationDate\":\"2026-11-23T18:40:17+00:00\","
        "\"Uri\":\"/Mediapartners/PAabc/ActionInquiries/12\",\"State\":\"CLOSED\","
        "\"ClosedDate\":\"\",\"ResolutionNotes\":\"\",\"PromoCode\":\"\","
        "\"AssigneeId\":\"\",\"Assignee\":\"\"}");
    free(text);
    json_decref(shown);
    inquiry_free(&inquiry);
}

static void test_the_brand_never_sees_the_private_fields(void **state)
{
    (void)state;
    static const char *const private[] = { "MediaPartnerInquiryId", "CustomerId", "InquiryDate",
                                           "InquiryNotes" };
    struct inquiry inquiry;
    fill(&inquiry);
    inquiry.action = 99;
    struct buf data = { 0 };
    inquiry_event_data(&inquiry, true, &data);
    json_t *views[] = { inquiry_show(&inquiry, true), json_loads(buf_text(&data), 0, NULL) };
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 4; j++)
            assert_null(json_object_get(views[i], private[j]));
        assert_string_equal(json_string_value(json_object_get(views[i], "MediaPartnerId")), "34");
        assert_string_equal(json_string_value(json_object_get(views[i], "MediaPartnerName")),
                            "Trail Deals");
        assert_string_equal(json_string_value(json_object_get(views[i], "Uri")),
                            "/Advertisers/BRdef/ActionInquiries/12");
        assert_string_equal(json_string_value(json_object_get(views[i], "ActionUri")),
                            "/Advertisers/BRdef/Actions/99");
        json_decref(views[i]);
    }
    assert_null(strstr(buf_text(&data), "private words"));
    buf_free(&data);
    inquiry_free(&inquiry);
}

static void test_the_partners_event_has_every_data_point(void **state)
{
    (void)state;
    const struct event_type *type = catalog_type("action_inquiry.closed");
    struct inquiry inquiry;
    struct buf data = { 0 };
    fill(&inquiry);
    inquiry_event_data(&inquiry, false, &data);
    json_t *object = json_loads(buf_text(&data), 0, NULL);
    assert_non_null(object);
    void *at = json_object_iter(object);
    for (size_t i = 0; i < type->point_count; i++) {
        assert_non_null(at);
        assert_string_equal(json_object_iter_key(at), type->points[i].name);
        at = json_object_iter_next(object, at);
    }
    assert_null(at);
    assert_string_equal(json_string_value(json_object_get(object, "InquiryId")), "12");
    json_decref(object);
    buf_free(&data);
    inquiry_free(&inquiry);
}

static void test_an_event_keeps_the_newest_comments_that_fit(void **state)
{
    (void)state;
    struct inquiry inquiry;
    struct buf data = { 0 };
    fill(&inquiry);
    inquiry.comments = must_resize(inquiry.comments, 40 * sizeof(*inquiry.comments));
    for (size_t i = 1; i < 40; i++) {
        json_t *long_text = repeated("x", 4000);
        inquiry.comments[i] =
            (struct comment){ must_copy("Dana"), must_copy(json_string_value(long_text)), now };
        json_decref(long_text);
    }
    inquiry.comments[39].text[0] = '!';
    inquiry.comment_count = 40;
    inquiry_event_data(&inquiry, false, &data);
    assert_in_range(data.len, EVENT_DATA_MAX - 4200, EVENT_DATA_MAX);
    json_t *object = json_loads(buf_text(&data), 0, NULL);
    json_t *comments = json_object_get(object, "Comments");
    json_t *last = json_array_get(comments, json_array_size(comments) - 1);
    assert_int_equal(json_string_value(json_object_get(last, "Comment"))[0], '!');
    assert_string_equal(json_string_value(json_object_get(object, "State")), "CLOSED");
    json_decref(object);
    buf_free(&data);
    inquiry_free(&inquiry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_is_read),
        cmocka_unit_test(test_all_that_is_missing_is_named_at_once),
        cmocka_unit_test(test_each_wrong_field_says_what_would_be_right),
        cmocka_unit_test(test_what_stands_at_the_edge_is_taken),
        cmocka_unit_test(test_lengths_count_characters),
        cmocka_unit_test(test_amounts_have_the_decimals_of_their_currency),
        cmocka_unit_test(test_problems_use_the_clients_own_names),
        cmocka_unit_test(test_a_comment_is_a_text),
        cmocka_unit_test(test_only_the_tables_steps_may_be_taken),
        cmocka_unit_test(test_a_new_inquiry_is_open_and_unresolved),
        cmocka_unit_test(test_a_refusal_says_why),
        cmocka_unit_test(test_it_is_reopened_only_once),
        cmocka_unit_test(test_each_step_has_its_event),
        cmocka_unit_test(test_a_decision_is_applied_whole),
        cmocka_unit_test(test_all_published_item_names_are_taken),
        cmocka_unit_test(test_what_a_decision_leaves_out_stays),
        cmocka_unit_test(test_a_wrong_decision_changes_nothing),
        cmocka_unit_test(test_a_refused_step_keeps_every_field),
        cmocka_unit_test(test_what_is_decided_is_refused_for_that_alone),
        cmocka_unit_test(test_both_spellings_of_a_reject_reason),
        cmocka_unit_test(test_too_many_item_bytes_are_refused),
        cmocka_unit_test(test_the_partner_sees_everything_in_order),
        cmocka_unit_test(test_the_brand_never_sees_the_private_fields),
        cmocka_unit_test(test_the_partners_event_has_every_data_point),
        cmocka_unit_test(test_an_event_keeps_the_newest_comments_that_fit),
    };
    return cmocka_run_group_tests_name("inquiry", tests, NULL, NULL);
}
