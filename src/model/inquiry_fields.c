/* inquiry_fields.c — the fields of an action inquiry: read from a request, shown, put in an event.
 *
 * Reading goes through tables of the texts and dates; amounts are read last, since their decimals
 * are the currency's.  There is one way out, inquiry_show(): an event's data is made from the same
 * object, in the catalog's order, so that page, API and postback can never disagree.  The four
 * private fields never reach the brand, by either way.
 */
#include "model/fields.h"
#include "model/inquiry.h"

#include "base/fail.h"
#include "model/catalog.h"
#include "model/event.h"
#include "model/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000 };

/* ---- reading ---- */

static const struct text_field {
    const char *name;
    size_t offset; /* of the char * in struct inquiry */
    size_t most;
    unsigned flags;
    const char *meaning; /* as fields_text() */
} text_fields[] = {
    { "MediaPartnerInquiryId", offsetof(struct inquiry, reference), REFERENCE_MAX, FIELD_IDENTIFIER,
      NULL },
    { "OrderId", offsetof(struct inquiry, order_id), ORDER_ID_MAX, FIELD_IDENTIFIER,
      "the number of the order at the brand's shop" },
    { "TrackingLink", offsetof(struct inquiry, tracking_link), TRACKING_LINK_MAX, FIELD_WEB_ADDRESS,
      NULL },
    { "CustomerId", offsetof(struct inquiry, customer_id), CUSTOMER_ID_MAX, FIELD_IDENTIFIER,
      NULL },
    { "InquiryNotes", offsetof(struct inquiry, notes), NOTES_MAX, FIELD_LINES, NULL },
};

static const char *const known_fields[] = {
    "CampaignId",  "TransactionDate", "TransactionAmount",      "Currency",
    "InquiryType", "ExpectedPayout",  "ResolutionDeadlineDate", "InquiryDate",
};

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof(known_fields) / sizeof(known_fields[0]); i++)
        if (strcmp(known_fields[i], name) == 0)
            return true;
    for (size_t i = 0; i < sizeof(text_fields) / sizeof(text_fields[0]); i++)
        if (strcmp(text_fields[i].name, name) == 0)
            return true;
    return false;
}

static void refuse_unknown(const struct fields *fields)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)fields->from, name, value)
    {
        if (!is_known(name))
            problems_add(fields->problems, fields_label(fields, name),
                         "is not a field of an action inquiry");
    }
}

static void read_type(struct inquiry *inquiry, const struct fields *fields)
{
    char *text = fields_text(fields, "InquiryType", 100, 0, "UNTRACKED, INCORRECT or DECLINED");
    if (text != NULL && !inquiry_type_named(text, &inquiry->type))
        problems_add(fields->problems, fields_label(fields, "InquiryType"),
                     "must be UNTRACKED (order not tracked), INCORRECT (order tracked incorrectly) "
                     "or DECLINED (order incorrectly rejected)");
    free(text);
}

static void read_currency(struct inquiry *inquiry, const struct fields *fields)
{
    char *text = fields_text(fields, "Currency", 100, 0, "three letters of ISO 4217, such as EUR");
    if (text == NULL)
        return;
    char upper[4] = { 0 };
    for (size_t i = 0; i < 3 && text[i] != '\0'; i++)
        upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
    if (strlen(text) == 3 && money_currency_known(upper))
        memcpy(inquiry->currency, upper, sizeof(upper));
    else
        problems_add(fields->problems, fields_label(fields, "Currency"),
                     "must be a currency's three letters of ISO 4217, such as EUR");
    free(text);
}

static void read_amounts(struct inquiry *inquiry, const struct fields *fields)
{
    /* With a wrong currency the inquiry is refused; any other lets the amounts be checked too. */
    const char *currency = inquiry->currency[0] != '\0' ? inquiry->currency : "EUR";
    inquiry->amount = fields_money(fields, "TransactionAmount", currency, true,
                                   "what the order was worth, such as 49.90");
    inquiry->expected_payout = fields_money(fields, "ExpectedPayout", currency, false, NULL);
}

void inquiry_read(struct inquiry *inquiry, const json_t *from, const char *(*label)(const char *),
                  int64_t now_ms, struct problems *problems)
{
    const struct fields fields = { from, label, problems };
    *inquiry = (struct inquiry){
        .final_payout = MONEY_NONE,
        .auto_approval_at = DATE_NONE,
        .resolved_at = DATE_NONE,
        .closed_at = DATE_NONE,
        .created_at = DATE_NONE,
        .reject_reason = -1,
    };
    inquiry->campaign = fields_id(&fields, "CampaignId", "the campaign's number");
    for (size_t i = 0; i < sizeof(text_fields) / sizeof(text_fields[0]); i++) {
        const struct text_field *field = &text_fields[i];
        char **text = (char **)(void *)((char *)inquiry + field->offset);
        *text = fields_text(&fields, field->name, field->most, field->flags, field->meaning);
    }
    inquiry->transaction_at = fields_date(&fields, "TransactionDate", now_ms, DAY_MS,
                                          "the day of the order, such as 2026-11-23");
    inquiry->inquiry_at = fields_date(&fields, "InquiryDate", now_ms, DAY_MS, NULL);
    inquiry->resolution_deadline_at =
        fields_date(&fields, "ResolutionDeadlineDate", DATE_NONE, 0, NULL);
    read_type(inquiry, &fields);
    read_currency(inquiry, &fields);
    read_amounts(inquiry, &fields);
    refuse_unknown(&fields);
}

char *comment_read(const json_t *from, struct problems *problems)
{
    const struct fields fields = { from, NULL, problems };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)from, name, value)
    {
        if (strcmp(name, "Comment") != 0)
            problems_add(problems, name, "is not a field of a comment; there is only Comment");
    }
    return fields_text(&fields, "Comment", COMMENT_MAX, FIELD_LINES, "the text to add");
}

/* ---- showing ---- */

static json_t *comment_show(const struct comment *comment)
{
    json_t *shown = json_object();
    show_text(shown, "User", comment->user);
    show_text(shown, "Comment", comment->text);
    show_date(shown, "Date", comment->at);
    return shown;
}

static json_t *comments_show(const struct inquiry *inquiry)
{
    json_t *shown = json_array();
    for (size_t i = 0; i < inquiry->comment_count; i++)
        json_array_append_new(shown, comment_show(&inquiry->comments[i]));
    return shown;
}

static const char *reject_reason_text(const struct inquiry *inquiry)
{
    size_t count;
    const char *const *reasons = reject_reasons(&count);
    bool given = inquiry->reject_reason >= 0 && (size_t)inquiry->reject_reason < count;
    return given ? reasons[inquiry->reject_reason] : "";
}

static void show_partner(json_t *shown, const struct inquiry *inquiry)
{
    show_int(shown, "MediaPartnerId", inquiry->partner);
    show_text(shown, "MediaPartnerName", inquiry->partner_name);
}

/* The first half of the object: what the partner said. */
static void show_question(json_t *shown, const struct inquiry *inquiry, bool for_brand)
{
    show_int(shown, "Id", inquiry->id);
    if (!for_brand)
        show_text(shown, "MediaPartnerInquiryId", inquiry->reference);
    show_int(shown, "CampaignId", inquiry->campaign);
    show_text(shown, "CampaignName", inquiry->campaign_name);
    if (for_brand)
        show_partner(shown, inquiry);
    show_text(shown, "OrderId", inquiry->order_id);
    show_date(shown, "TransactionDate", inquiry->transaction_at);
    show_money(shown, "TransactionAmount", inquiry->amount, inquiry->currency);
    show_text(shown, "Currency", inquiry->currency);
    show_text(shown, "InquiryType", inquiry_type_name(inquiry->type));
    show_money(shown, "ExpectedPayout", inquiry->expected_payout, inquiry->currency);
    show_date(shown, "ResolutionDeadlineDate", inquiry->resolution_deadline_at);
    show_text(shown, "TrackingLink", inquiry->tracking_link);
    if (!for_brand) {
        show_text(shown, "CustomerId", inquiry->customer_id);
        show_date(shown, "InquiryDate", inquiry->inquiry_at);
        show_text(shown, "InquiryNotes", inquiry->notes);
    }
}

/* The second half: what became of it. */
static void show_answer(json_t *shown, const struct inquiry *inquiry, bool for_brand)
{
    const char *whose = for_brand ? "Advertisers" : "Mediapartners";
    const char *sid = for_brand ? inquiry->brand_sid : inquiry->partner_sid;
    if (sid == NULL)
        sid = "";
    if (inquiry->action != 0) {
        show_int(shown, "ActionId", inquiry->action);
        show_uri(shown, "ActionUri", "/%s/%s/Actions/%" PRId64, whose, sid, inquiry->action);
    } else {
        show_text(shown, "ActionId", "");
        show_text(shown, "ActionUri", "");
    }
    show_date(shown, "AutoApprovalDate", inquiry->auto_approval_at);
    show_text(shown, "ResolutionStatus", inquiry_status_name(inquiry->status));
    show_text(shown, "RejectReason", reject_reason_text(inquiry));
    show_money(shown, "FinalPayout", inquiry->final_payout, inquiry->currency);
    show_date(shown, "ResolutionDate", inquiry->resolved_at);
    show_date(shown, "CreationDate", inquiry->created_at);
    show_uri(shown, "Uri", "/%s/%s/ActionInquiries/%" PRId64, whose, sid, inquiry->id);
    show_text(shown, "State", inquiry_state_name(inquiry->state));
    show_date(shown, "ClosedDate", inquiry->closed_at);
    show_text(shown, "ResolutionNotes", inquiry->resolution_notes);
    show_text(shown, "PromoCode", inquiry->promo_code);
    show_id(shown, "AssigneeId", for_brand ? inquiry->brand_assignee : inquiry->partner_assignee);
    show_text(shown, "Assignee",
              for_brand ? inquiry->brand_assignee_name : inquiry->partner_assignee_name);
    if (for_brand) {
        show_text(shown, "HeldStatus", inquiry_status_name(inquiry->held_status));
        show_date(shown, "HeldUntilDate", inquiry->held_until);
    }
}

json_t *inquiry_show(const struct inquiry *inquiry, bool for_brand)
{
    json_t *shown = json_object();
    show_question(shown, inquiry, for_brand);
    json_object_set_new(shown, "Comments", comments_show(inquiry));
    show_answer(shown, inquiry, for_brand);
    return shown;
}

/* ---- events ---- */

enum { DUMP = JSON_COMPACT };

/* An event has a cap, comments have none: the oldest are left out until the rest fits. */
static json_t *newest_comments(const json_t *all, size_t room)
{
    size_t first = json_array_size(all);
    while (first > 0) {
        size_t size = json_dumpb(json_array_get(all, first - 1), NULL, 0, DUMP) + 1;
        if (size > room)
            break;
        room -= size;
        first--;
    }
    json_t *kept = json_array();
    for (; first < json_array_size(all); first++)
        json_array_append(kept, json_array_get(all, first));
    return kept;
}

/* An event carries more than the API shows. */
static void show_more(json_t *shown, const struct inquiry *inquiry)
{
    show_partner(shown, inquiry);
    show_text(shown, "MediaPartnerSid", inquiry->partner_sid);
    show_text(shown, "AdvertiserSid", inquiry->brand_sid);
    show_bool(shown, "Reopened", inquiry->reopened);
}

void inquiry_event_data(const struct inquiry *inquiry, bool for_brand, struct buf *out)
{
    const struct event_type *type = catalog_type(inquiry_step_event(STEP_OPEN));
    json_t *shown = inquiry_show(inquiry, for_brand);
    json_t *data = json_object();
    show_more(shown, inquiry);
    for (size_t i = 0; i < type->point_count; i++) {
        const char *name = type->points[i].name;
        json_t *value = json_object_get(shown, strcmp(name, "InquiryId") == 0 ? "Id" : name);
        if (value == NULL)
            continue; /* not for this account's eyes */
        if (json_is_array(value))
            json_object_set_new(data, name, json_array());
        else
            json_object_set(data, name, value);
    }
    if (json_object_get(data, "Comments") != NULL) {
        size_t used = json_dumpb(data, NULL, 0, DUMP);
        size_t room = used < EVENT_DATA_MAX ? EVENT_DATA_MAX - used : 0;
        json_object_set_new(data, "Comments",
                            newest_comments(json_object_get(shown, "Comments"), room));
    }
    char *text = json_dumps(data, DUMP);
    if (text == NULL)
        bug("inquiry %" PRId64 " cannot be written as JSON", inquiry->id);
    buf_str(out, text);
    free(text);
    json_decref(data);
    json_decref(shown);
}
