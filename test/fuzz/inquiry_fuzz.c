/* inquiry_fuzz.c — arbitrary JSON as a new inquiry, as a decision and as a comment.
 *
 * Whatever is accepted must be possible to show and to put in an event within its cap; whatever is
 * refused must say so in words that can be answered.
 */
#include "model/event.h"
#include "model/inquiry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const int64_t now = 1795459217000;

static void check_problems(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        json_t *message = json_string(problems->items[i].message);
        if (message == NULL)
            abort();
        json_decref(message);
    }
    problems_free(problems);
}

static void show(const struct inquiry *inquiry)
{
    for (int brand = 0; brand < 2; brand++) {
        struct buf data = { 0 };
        json_decref(inquiry_show(inquiry, brand));
        inquiry_event_data(inquiry, brand, &data);
        if (data.failed || data.len > EVENT_DATA_MAX)
            abort();
        buf_free(&data);
    }
}

static void decide(const json_t *from, struct inquiry *inquiry)
{
    struct resolution resolution;
    struct problems problems = { 0 };
    struct error error = { 0 };
    enum inquiry_status before = inquiry->status;
    resolution_read(&resolution, from, NULL, &problems);
    if (problems.count == 0) {
        bool done = resolution_apply(&resolution, inquiry, now, &problems, &error);
        if (done != (problems.count == 0 && error.kind == ERROR_NONE) ||
            (!done && inquiry->status != before))
            abort();
        show(inquiry);
    }
    check_problems(&problems);
    resolution_free(&resolution);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    json_t *from = json_loadb((const char *)bytes, len, 0, NULL);
    if (!json_is_object(from)) {
        json_decref(from);
        return 0;
    }
    struct inquiry inquiry;
    struct problems problems = { 0 };
    free(comment_read(from, &problems));
    check_problems(&problems);
    inquiry_read(&inquiry, from, NULL, now, &problems);
    if (problems.count == 0) {
        if (!inquiry_step(&inquiry, STEP_OPEN, now, NULL))
            abort();
        show(&inquiry);
    }
    check_problems(&problems);
    inquiry_free(&inquiry);
    inquiry.transaction_at = DATE_NONE;
    inquiry.amount = inquiry.expected_payout = inquiry.final_payout = MONEY_NONE;
    inquiry.resolution_deadline_at = inquiry.inquiry_at = inquiry.auto_approval_at = DATE_NONE;
    inquiry.resolved_at = inquiry.closed_at = inquiry.created_at = DATE_NONE;
    inquiry.currency[0] = 'E', inquiry.currency[1] = 'U', inquiry.currency[2] = 'R';
    inquiry_step(&inquiry, STEP_OPEN, now, NULL);
    decide(from, &inquiry);
    inquiry_free(&inquiry);
    json_decref(from);
    return 0;
}
