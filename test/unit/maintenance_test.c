/* maintenance_test.c — a pause's states and texts, a catch-up's figures, letters to accounts. */
#include "base/fail.h"
#include "model/catchup.h"
#include "model/date.h"
#include "model/mail.h"
#include "model/maintenance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_every_state_that_has_not_ended_can_be_ended(void **state)
{
    (void)state;
    assert_int_equal(maintenance_ended_state(MAINTENANCE_SCHEDULED), MAINTENANCE_CANCELLED);
    assert_int_equal(maintenance_ended_state(MAINTENANCE_STARTING), MAINTENANCE_ENDING);
    assert_int_equal(maintenance_ended_state(MAINTENANCE_ON), MAINTENANCE_ENDING);
    assert_int_equal(maintenance_ended_state(MAINTENANCE_ENDING), MAINTENANCE_OVER);
    assert_int_equal(maintenance_ended_state(MAINTENANCE_CATCHING_UP), MAINTENANCE_OVER);
    assert_int_equal(maintenance_ended_state(MAINTENANCE_OVER), MAINTENANCE_OVER);
    assert_int_equal(maintenance_ended_state((enum maintenance_state)0), MAINTENANCE_OVER);
}

static void test_nothing_that_ended_comes_back(void **state)
{
    (void)state;
    for (int to = 0; to < MAINTENANCE_STATES; to++) {
        assert_false(maintenance_may_become(MAINTENANCE_OVER, (enum maintenance_state)to));
        if (to != MAINTENANCE_OVER)
            assert_false(
                maintenance_may_become(MAINTENANCE_CATCHING_UP, (enum maintenance_state)to));
    }
}

static struct maintenance sample(enum maintenance_state in)
{
    return (struct maintenance){
        .id = 1,
        .state = in,
        .message = (char *)"New \"disks\"\n",
        .start_at = 1795550400000,
        .expected_end_at = 1795554000000,
        .started_at = 1795550400123,
        .ended_at = DATE_NONE,
    };
}

static void test_a_notice_says_when_and_why(void **state)
{
    (void)state;
    struct maintenance planned = sample(MAINTENANCE_SCHEDULED);
    struct buf text = { 0 };
    maintenance_text(&text, &planned);
    assert_string_equal(buf_text(&text),
                        "Postbacks will be paused for maintenance from 24 Nov 2026, 20:00 UTC. "
                        "Events are taken in and kept meanwhile: nothing is lost. They are "
                        "expected to go on at 24 Nov 2026, 21:00 UTC. The operator says: New "
                        "\"disks\"\n");
    buf_free(&text);
}

static void test_the_events_data_is_canonical(void **state)
{
    (void)state;
    struct maintenance started = sample(MAINTENANCE_STARTING);
    struct buf data = { 0 };
    maintenance_data(&data, &started, 12);
    assert_string_equal(buf_text(&data),
                        "{\"Message\":\"New \\\"disks\\\"\\n\","
                        "\"StartDate\":\"2026-11-24T20:00:00.123+00:00\","
                        "\"ExpectedEndDate\":\"2026-11-24T21:00:00.000+00:00\",\"EndDate\":\"\","
                        "\"PendingPostbacks\":\"12\"}");
    buf_free(&data);
}

/* ---- catching up ---- */

static void test_a_catchup_knows_its_rate_and_end_from_two_samples(void **state)
{
    (void)state;
    struct catchup catchup = { 0 };
    assert_int_equal(catchup_remaining_ms(&catchup), 0);
    catchup_sample(&catchup, 1000, 1000);
    assert_true(catchup_rate(&catchup) == 0.0);
    catchup_sample(&catchup, 1001, 992); /* the first few went at once: no rate */
    assert_int_equal(catchup_remaining_ms(&catchup), -1);
    catchup_sample(&catchup, 3000, 600);
    assert_int_equal(catchup_done(&catchup), 400);
    assert_true(catchup_rate(&catchup) == 200.0);
    assert_int_equal(catchup_remaining_ms(&catchup), 3000);
}

static void test_a_catchup_forgets_how_fast_it_was_long_ago(void **state)
{
    (void)state;
    struct catchup catchup = { 0 };
    int64_t left = 100000;
    for (int i = 0; i < 3 * CATCHUP_SAMPLES; i++) {
        catchup_sample(&catchup, i * 1000, left);
        left -= i < CATCHUP_SAMPLES ? 1000 : 10;
    }
    assert_true(catchup_rate(&catchup) == 10.0);
}

static void test_a_catchup_that_stands_has_no_end(void **state)
{
    (void)state;
    struct catchup catchup = { 0 };
    catchup_sample(&catchup, 0, 5);
    catchup_sample(&catchup, 1000, 5);
    assert_int_equal(catchup_remaining_ms(&catchup), -1);
    catchup_sample(&catchup, 2000, 8); /* more than were counted at first */
    assert_int_equal(catchup.total, 8);
    assert_int_equal(catchup_done(&catchup), 0);
}

/* ---- mail ---- */

static void test_addresses_that_could_be_more_than_one_are_refused(void **state)
{
    static const char *const bad[] = {
        "",           "a",         "@b.example",       "a@",
        "-oX@b",      "a@b@c",     "a@b, c@d.example", "a@b\nBcc: c@d.example",
        "a b@c.test", "<a@b>",     "\"a\"@b.example",  "a@b;c",
        "a@b\tc",     "a@b\rX: y", "a:b@c.example",    "m\xc3\xbcller@b.example",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct letter letter = { .to = (char *)bad[i], .subject = "S", .text = "T" };
        struct buf out = { 0 };
        if (mail_write(&out, &letter) || out.len != 0)
            fail_msg("expected no mail to \"%s\"; got one", bad[i]);
        buf_free(&out);
    }
    assert_null(mail_address_fault("first.last+tag@mail.example"));
}

static void expect_header(const struct buf *mail, const char *line)
{
    const char *end = strstr(buf_text(mail), "\n\n");
    const char *at = strstr(buf_text(mail), line);
    if (at == NULL || at > end)
        fail_msg("expected the header \"%s\"; got \"%.*s\"", line, (int)(end - buf_text(mail)),
                 buf_text(mail));
}

static void test_no_text_can_make_a_header(void **state)
{
    (void)state;
    struct letter letter = { .to = "a@b.example",
                             .subject = "Late: x\r\nBcc: evil@c.example",
                             .text = ".\n\nBcc: evil@c.example\n" };
    struct buf out = { 0 };
    assert_true(mail_write(&out, &letter));
    assert_null(strstr(buf_text(&out), "evil"));
    assert_null(strstr(buf_text(&out), "\n.\n"));
    assert_null(strchr(buf_text(&out), '\r'));
    expect_header(&out, "To: a@b.example\n");
    expect_header(&out, "\nSubject: =?utf-8?B?TGF0ZTogeA0KQmNjOiBldmlsQGMuZXhhbXBsZQ==?=\n");
    buf_free(&out);
}

static void test_a_plain_subject_stays_readable_and_a_long_one_is_folded(void **state)
{
    (void)state;
    char text[200];
    struct letter letter = { .to = "a@b.example", .subject = "Maintenance is over", .text = "T" };
    struct buf out = { 0 };
    assert_true(mail_write(&out, &letter));
    expect_header(&out, "\nSubject: Maintenance is over\n");
    buf_free(&out);

    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xbc", 3);
    letter.subject = text;
    assert_true(mail_write(&out, &letter));
    for (const char *line = buf_text(&out); line != NULL; line = strchr(line + 1, '\n'))
        assert_true(strcspn(line + 1, "\n") <= 76);
    expect_header(&out, "?=\n =?utf-8?B?w7zD"); /* each word begins with a whole character */
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state_that_has_not_ended_can_be_ended),
        cmocka_unit_test(test_nothing_that_ended_comes_back),
        cmocka_unit_test(test_a_notice_says_when_and_why),
        cmocka_unit_test(test_the_events_data_is_canonical),
        cmocka_unit_test(test_a_catchup_knows_its_rate_and_end_from_two_samples),
        cmocka_unit_test(test_a_catchup_forgets_how_fast_it_was_long_ago),
        cmocka_unit_test(test_a_catchup_that_stands_has_no_end),
        cmocka_unit_test(test_addresses_that_could_be_more_than_one_are_refused),
        cmocka_unit_test(test_no_text_can_make_a_header),
        cmocka_unit_test(test_a_plain_subject_stays_readable_and_a_long_one_is_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
