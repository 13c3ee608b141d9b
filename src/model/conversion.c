/* conversion.c — reading the parameters of an inbound tracking postback.
 *
 * They come in the query, as systems send them that can do no more than call an address, or in a
 * form or JSON body.  An unknown name is refused: a misspelt "ammount" is found when the postback
 * is set up, not when the payouts are.
 */
#include "model/conversion.h"

#include "base/fail.h"
#include "base/id.h"
#include "model/date.h"
#include "model/fields.h"
#include "model/inquiry.h"
#include "model/money.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char *const conversion_names[] = {
    "oid",    "irpid",  "partner", "amount",   "currency",  "customerid", "promocode",
    "subid1", "subid2", "subid3",  "sharedid", "eventdate", "token",      NULL,
};

#define PLACE(member) offsetof(struct conversion, member)

static const struct text_parameter {
    const char *name;
    size_t at, most; /* characters */
    const char *required;
    unsigned flags; /* of fields_text() */
} texts[] = {
    { "oid", PLACE(order_id), ORDER_ID_MAX, "the order's id", FIELD_IDENTIFIER },
    { "amount", PLACE(amount), 40, NULL, FIELD_NUMBER },
    { "currency", PLACE(currency), 3, NULL, 0 },
    { "customerid", PLACE(customer_id), CUSTOMER_ID_MAX, NULL, FIELD_IDENTIFIER },
    { "promocode", PLACE(promo_code), PROMO_CODE_MAX, NULL, 0 },
    { "subid1", PLACE(sub_ids[0]), SUB_ID_MAX, NULL, 0 },
    { "subid2", PLACE(sub_ids[1]), SUB_ID_MAX, NULL, 0 },
    { "subid3", PLACE(sub_ids[2]), SUB_ID_MAX, NULL, 0 },
    { "sharedid", PLACE(shared_id), SUB_ID_MAX, NULL, 0 },
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]), PARTNER_MAX = 40 };

static char **place(struct conversion *conversion, const struct text_parameter *parameter)
{
    return (char **)(void *)((char *)conversion + parameter->at);
}

static void check_names(const json_t *given, struct problems *problems)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)given, name, value)
    {
        const char *const *known = conversion_names;
        while (*known != NULL && strcmp(*known, name) != 0)
            known++;
        if (*known == NULL)
            problems_add(problems, name, "is not a parameter of this call");
    }
}

/* Under either name; under both it must be the same. */
static char *read_partner(const struct fields *fields)
{
    char *other = fields_text(fields, "partner", PARTNER_MAX, 0, NULL);
    char *sid = fields_text(fields, "irpid", PARTNER_MAX, 0,
                            other == NULL ? "the SID of the partner it is credited to" : NULL);
    if (sid == NULL)
        return other;
    if (other != NULL && strcmp(sid, other) != 0)
        problems_add(fields->problems, "partner", "is another one than irpid");
    free(other);
    return sid;
}

/* All but the partner and the items. */
static void read_texts(struct conversion *conversion, const struct fields *fields, int64_t now_ms,
                       int64_t ahead_ms)
{
    for (size_t i = 0; i < TEXTS; i++)
        *place(conversion, &texts[i]) =
            fields_text(fields, texts[i].name, texts[i].most, texts[i].flags, texts[i].required);
    if (conversion->currency != NULL && !money_currency_known(conversion->currency))
        problems_add(fields->problems, fields_label(fields, "currency"),
                     "must be a currency of ISO 4217, as EUR");
    conversion->event_at = fields_date(fields, "eventdate", now_ms, ahead_ms, NULL);
    if (conversion->event_at == DATE_NONE)
        conversion->event_at = now_ms;
    conversion->label = fields->label;
}

void conversion_read(struct conversion *conversion, const json_t *given, int64_t now_ms,
                     int64_t ahead_ms, struct problems *problems)
{
    const struct fields fields = { .from = given, .problems = problems };
    *conversion = (struct conversion){ 0 };
    check_names(given, problems);
    read_texts(conversion, &fields, now_ms, ahead_ms);
    conversion->partner = read_partner(&fields);
}

/* ---- published names ---- */

static const struct published {
    const char *name, *ours;
} published[] = {
    { "OrderId", "oid" },
    { "Amount", "amount" },
    { "CurrencyCode", "currency" },
    { "EventDate", "eventdate" },
    { "CustomerId", "customerid" },
    { "PromoCode", "promocode" },
    { "OrderPromoCode", "promocode" },
    { "SubId1", "subid1" },
    { "SubId2", "subid2" },
    { "SubId3", "subid3" },
    { "SharedId", "sharedid" },
};
enum { PUBLISHED = sizeof(published) / sizeof(published[0]) };

static const char *published_name(const char *ours)
{
    for (size_t i = 0; i < PUBLISHED; i++)
        if (strcmp(published[i].ours, ours) == 0)
            return published[i].name;
    return ours;
}

static bool is_published(const char *name)
{
    static const char *const others[] = { "CampaignId", "EventTypeId", "MediaPartnerId",
                                          "ClickId" };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(others[i], name) == 0)
            return true;
    for (size_t i = 0; i < PUBLISHED; i++)
        if (strcmp(published[i].name, name) == 0)
            return true;
    return false;
}

/* The partner is named by its number, as everything published shows it, or by its SID.  A click
 * alone names nobody: clicks are not counted here. */
static void read_media_partner(struct conversion *conversion, const struct fields *fields)
{
    char *click = fields_text(fields, "ClickId", SUB_ID_MAX, 0, NULL);
    char *given = fields_text(fields, "MediaPartnerId", PARTNER_MAX, FIELD_NUMBER,
                              click == NULL ? "the partner it is credited to" : NULL);
    if (given != NULL && !id_parse(given, &conversion->partner_id))
        conversion->partner = must_copy(given);
    else if (given == NULL && click != NULL)
        problems_add(fields->problems, "ClickId",
                     "is of no click that is known here; give MediaPartnerId");
    free(given);
    free(click);
}

void conversion_read_published(struct conversion *conversion, const json_t *given, int64_t now_ms,
                               int64_t ahead_ms, struct problems *problems, int64_t *campaign,
                               int64_t *tracker)
{
    const struct fields outer = { .from = given, .problems = problems };
    json_t *ours = json_object();
    const struct fields fields = { .from = ours, .label = published_name, .problems = problems };
    for (size_t i = 0; i < PUBLISHED; i++) {
        json_t *value = json_object_get(given, published[i].name);
        if (value != NULL && json_object_get(ours, published[i].ours) != NULL)
            problems_add(problems, published[i].name, "is given under two names");
        else if (value != NULL)
            json_object_set(ours, published[i].ours, value);
    }
    *conversion = (struct conversion){ 0 };
    *campaign = fields_id(&outer, "CampaignId", "the campaign");
    *tracker = fields_id(&outer, "EventTypeId", "the action tracker that counts it");
    read_texts(conversion, &fields, now_ms, ahead_ms);
    read_media_partner(conversion, &outer);
    order_items_read(&conversion->items, &outer, is_published, "is not a field of a conversion");
    json_decref(ours);
}

void conversion_free(struct conversion *conversion)
{
    order_items_free(&conversion->items);
    for (size_t i = 0; i < TEXTS; i++)
        free(*place(conversion, &texts[i]));
    free(conversion->partner);
    *conversion = (struct conversion){ 0 };
}

bool conversion_action(const struct conversion *conversion, const char *campaign_currency,
                       int64_t now_ms, struct action *action, struct problems *problems)
{
    const struct fields fields = { .label = conversion->label, .problems = problems };
    const struct fields items = { .problems = problems };
    const char *currency = conversion->currency != NULL ? conversion->currency : campaign_currency;
    size_t before = problems->count;
    action->order_id = must_copy(conversion->order_id);
    action->customer_id = must_copy(conversion->customer_id);
    action->promo_code = must_copy(conversion->promo_code);
    action->shared_id = must_copy(conversion->shared_id);
    for (int i = 0; i < ACTION_SUB_IDS; i++)
        action->sub_ids[i] = must_copy(conversion->sub_ids[i]);
    action->status = ACTION_PENDING;
    action->referring_type = "DATAPOST";
    action->payout = MONEY_NONE;
    action->amount = order_items_total(&conversion->items, currency, &items);
    if (action->amount > fields_most(currency))
        problems_add(problems, "Items", "must come to at most %d", AMOUNT_MOST);
    if (conversion->items.items != NULL)
        action->items = json_dumps(conversion->items.items, JSON_COMPACT);
    if (conversion->amount != NULL)
        action->amount = fields_amount(&fields, "amount", conversion->amount, currency, false);
    memcpy(action->currency, currency, sizeof(action->currency));
    action->event_at = conversion->event_at;
    action->created_at = now_ms;
    action_begin(action, NULL);
    return problems->count == before;
}
