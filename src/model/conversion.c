/* conversion.c — reading the parameters of an inbound tracking postback.
 *
 * They come in the query, as systems send them that can do no more than call an address, or in a
 * form or JSON body.  An unknown name is refused: a misspelt "ammount" is found when the postback
 * is set up, not when the payouts are.
 */
#include "model/conversion.h"

#include "base/fail.h"
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

void conversion_read(struct conversion *conversion, const json_t *given, int64_t now_ms,
                     int64_t ahead_ms, struct problems *problems)
{
    const struct fields fields = { .from = given, .problems = problems };
    *conversion = (struct conversion){ 0 };
    check_names(given, problems);
    for (size_t i = 0; i < TEXTS; i++)
        *place(conversion, &texts[i]) =
            fields_text(&fields, texts[i].name, texts[i].most, texts[i].flags, texts[i].required);
    if (conversion->currency != NULL && !money_currency_known(conversion->currency))
        problems_add(problems, "currency", "must be a currency of ISO 4217, as EUR");
    conversion->partner = read_partner(&fields);
    conversion->event_at = fields_date(&fields, "eventdate", now_ms, ahead_ms, NULL);
    if (conversion->event_at == DATE_NONE)
        conversion->event_at = now_ms;
}

void conversion_free(struct conversion *conversion)
{
    for (size_t i = 0; i < TEXTS; i++)
        free(*place(conversion, &texts[i]));
    free(conversion->partner);
    *conversion = (struct conversion){ 0 };
}

bool conversion_action(const struct conversion *conversion, const char *campaign_currency,
                       int64_t now_ms, struct action *action, struct problems *problems)
{
    const struct fields fields = { .problems = problems };
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
    action->amount = MONEY_NONE;
    if (conversion->amount != NULL)
        action->amount = fields_amount(&fields, "amount", conversion->amount, currency, false);
    memcpy(action->currency, currency, sizeof(action->currency));
    action->event_at = conversion->event_at;
    action->created_at = now_ms;
    action_begin(action, NULL);
    return problems->count == before;
}
