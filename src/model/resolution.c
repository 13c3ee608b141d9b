/* resolution.c — a brand's decision on an action inquiry.
 *
 * Read in one go from flat fields (an API request or a row of a bulk file), applied later, when
 * the inquiry and so the currency is known.  resolution_apply() checks everything before it
 * changes anything: an inquiry is changed as a whole or not at all.  The step comes first, so that
 * what may not be decided at all is refused for that and not for a field.
 */
#include "model/fields.h"
#include "model/inquiry.h"
#include "model/order_items.h"

#include "base/fail.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000 };

static const char *const known_fields[] = {
    "Id",          "ResolutionStatus", "RejectReason", "ActionTrackerId", "ResolutionNotes",
    "FinalPayout", "TransactionDate",  "PromoCode",    "CustomerId",      "TransactionAmount",
};

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof(known_fields) / sizeof(known_fields[0]); i++)
        if (strcmp(known_fields[i], name) == 0)
            return true;
    return false;
}

static void read_items(struct resolution *resolution, const struct fields *fields)
{
    struct order_items items;
    order_items_read(&items, fields, is_known, "is not a field of a decision on an action inquiry");
    resolution->items = items.items;
    resolution->item_amounts = items.amounts;
}

static bool read_step(const struct fields *fields, enum inquiry_step *step)
{
    static const char *const choice = "VALID, DECLINED or INCOMPLETE";
    char *text = fields_text(fields, "ResolutionStatus", 100, 0, choice);
    if (text == NULL)
        return false;
    enum inquiry_status status = STATUS_UNRESOLVED;
    inquiry_status_named(text, &status);
    free(text);
    if (status == STATUS_UNRESOLVED) {
        problems_add(fields->problems, fields_label(fields, "ResolutionStatus"), "must be %s",
                     choice);
        return false;
    }
    *step = status == STATUS_VALID      ? STEP_ACCEPT
            : status == STATUS_DECLINED ? STEP_DECLINE
                                        : STEP_ASK;
    return true;
}

/* Only a refusal has one: clients that send it with each decision mean nothing by it elsewhere. */
static int read_reject_reason(const struct fields *fields, bool declined)
{
    if (!declined)
        return -1;
    char *text = fields_text(fields, "RejectReason", 200, 0,
                             "one of the nine reasons, such as "
                             "\"Transaction cannot be traced\" or \"Other\"");
    if (text == NULL)
        return -1;
    int reason = reject_reason_named(text);
    free(text);
    if (reason == -1) {
        struct buf list = { 0 };
        size_t count;
        const char *const *reasons = reject_reasons(&count);
        for (size_t i = 0; i < count; i++)
            buf_fmt(&list, "%s\"%s\"", i == 0 ? "" : " · ", reasons[i]);
        problems_add(fields->problems, fields_label(fields, "RejectReason"), "must be one of: %s",
                     buf_text(&list));
        buf_free(&list);
    }
    return reason;
}

void resolution_read(struct resolution *resolution, const json_t *from,
                     const char *(*label)(const char *), struct problems *problems)
{
    const struct fields fields = { from, label, problems };
    *resolution = (struct resolution){ .label = label };
    resolution->id = fields_id(&fields, "Id", "the inquiry's number");
    bool decided = read_step(&fields, &resolution->step);
    bool accepted = decided && resolution->step == STEP_ACCEPT;
    resolution->tracker =
        fields_id(&fields, "ActionTrackerId",
                  accepted ? "the action tracker that the new action belongs to" : NULL);
    resolution->reject_reason =
        read_reject_reason(&fields, decided && resolution->step == STEP_DECLINE);
    resolution->notes = fields_text(&fields, "ResolutionNotes", NOTES_MAX, FIELD_LINES, NULL);
    resolution->promo_code = fields_text(&fields, "PromoCode", PROMO_CODE_MAX, 0, NULL);
    resolution->customer_id =
        fields_text(&fields, "CustomerId", CUSTOMER_ID_MAX, FIELD_IDENTIFIER, NULL);
    resolution->amount = fields_text(&fields, "TransactionAmount", 40, FIELD_NUMBER, NULL);
    resolution->final_payout = fields_text(&fields, "FinalPayout", 40, FIELD_NUMBER, NULL);
    resolution->transaction_at = fields_date(&fields, "TransactionDate", DATE_NONE, 0, NULL);
    read_items(resolution, &fields);
}

void resolution_free(struct resolution *resolution)
{
    free(resolution->notes);
    free(resolution->promo_code);
    free(resolution->customer_id);
    free(resolution->amount);
    free(resolution->final_payout);
    json_decref(resolution->items);
    json_decref(resolution->item_amounts);
    *resolution = (struct resolution){ 0 };
}

/* ---- applying ---- */

static void put(char **to, const char *from)
{
    if (from == NULL)
        return;
    free(*to);
    *to = must_copy(from);
}

/* The fields of a decision that can be taken. */
static void check(const struct resolution *resolution, const struct inquiry *inquiry,
                  int64_t now_ms, int64_t *amount, int64_t *final_payout, struct problems *problems)
{
    const struct fields fields = { NULL, resolution->label, problems };
    const char *currency = inquiry->currency;
    if (resolution->amount != NULL)
        *amount = fields_amount(&fields, "TransactionAmount", resolution->amount, currency, true);
    if (resolution->final_payout != NULL) {
        *final_payout =
            fields_amount(&fields, "FinalPayout", resolution->final_payout, currency, false);
        if (resolution->step != STEP_ACCEPT && *final_payout > 0)
            problems_add(
                problems, fields_label(&fields, "FinalPayout"),
                "is only for an inquiry that is resolved as VALID; leave it out or make it 0");
    }
    if (resolution->transaction_at != DATE_NONE &&
        date_is_future(resolution->transaction_at, false, now_ms, DAY_MS))
        problems_add(problems, fields_label(&fields, "TransactionDate"),
                     "must not be in the future");
    order_items_total(&(struct order_items){ resolution->items, resolution->item_amounts },
                      currency, &fields);
}

bool resolution_apply(const struct resolution *resolution, struct inquiry *inquiry, int64_t now_ms,
                      struct problems *problems, struct error *error)
{
    size_t before = problems->count;
    struct inquiry tried = *inquiry; /* a step changes none of the texts that the two share */
    int64_t amount = inquiry->amount, final_payout = inquiry->final_payout;
    if (!inquiry_step(&tried, resolution->step, now_ms, error))
        return false;
    check(resolution, inquiry, now_ms, &amount, &final_payout, problems);
    if (problems->count > before)
        return false;

    inquiry->final_payout = final_payout; /* the step fills in what is missing */
    inquiry_step(inquiry, resolution->step, now_ms, error);
    inquiry->amount = amount;
    inquiry->reject_reason = resolution->reject_reason;
    if (resolution->transaction_at != DATE_NONE)
        inquiry->transaction_at = resolution->transaction_at;
    put(&inquiry->resolution_notes, resolution->notes);
    put(&inquiry->promo_code, resolution->promo_code);
    return true; /* CustomerId is the brand's own, and the action's */
}
