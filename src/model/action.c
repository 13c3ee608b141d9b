/* action.c — a conversion credited to a partner: how it is made of an inquiry, and how it is shown.
 *
 * One table says what an action has to say, to the API and to events.  An event's data is the
 * catalog's list of names filled from it, so every data point of the type is there, "" when the
 * action has none.
 */
#include "model/action.h"

#include "base/fail.h"
#include "model/catalog.h"
#include "model/date.h"
#include "model/escape.h"
#include "model/money.h"
#include "model/show.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const statuses[] = {
    [ACTION_PENDING] = "PENDING",
    [ACTION_APPROVED] = "APPROVED",
    [ACTION_REVERSED] = "REVERSED",
};

const char *action_status_name(enum action_status status)
{
    return status >= ACTION_PENDING && status <= ACTION_REVERSED ? statuses[status] : "";
}

bool action_status_named(const char *name, enum action_status *status)
{
    for (int i = ACTION_PENDING; i <= ACTION_REVERSED; i++) {
        if (strcmp(statuses[i], name) == 0) {
            *status = (enum action_status)i;
            return true;
        }
    }
    return false;
}

const char *action_referring_type(const char *name)
{
    /* Two of impact.com's published ones; rows of before have another word for the second. */
    static const char *const types[][2] = { { "ACTION_INQUIRY", "ACTION_INQUIRY" },
                                            { "DATAPOST", "DATAPOST" },
                                            { "POSTBACK", "DATAPOST" } };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i][0], name) == 0)
            return types[i][1];
    return "";
}

/* ORDER_UPDATE is that of a change; what else there is may be given for either. */
static const char *const dispositions[] = { "ORDER_UPDATE",
                                            "REJECTED",
                                            "CONS_INFO_INVALID",
                                            "CONS_ERROR",
                                            "CONS_FRAUD",
                                            "ITEM_RETURNED",
                                            "ITEM_OUT_OF_STOCK",
                                            "ORDER_ERROR",
                                            "PUB_ACT_DISPUTE",
                                            "NOT_COMPLIANCE_TERMS",
                                            "MP_RETURNED",
                                            "OTHER",
                                            "CREDITED_DIFFERENT_MP",
                                            "ADV_ACT_DISPUTE",
                                            "TEST_ACTION",
                                            NULL };

const char *const *action_dispositions(bool reversing)
{
    return reversing ? dispositions + 1 : dispositions;
}

const char *action_disposition(const char *name)
{
    for (const char *const *each = dispositions; *each != NULL; each++)
        if (strcmp(*each, name) == 0)
            return *each;
    return NULL;
}

static char *copy(const char *text)
{
    return must_copy(text != NULL ? text : "");
}

static void take_terms(struct action *action, const struct terms *terms)
{
    action->locking_at = terms_locking_at(terms, action->event_at);
    action->clearing_days = terms->clearing_days;
    action->clearing_at = terms_clearing_at(action->clearing_days, action->locking_at);
    if (action->payout != MONEY_NONE) /* granted */
        return;
    action->payout_kind = terms->payout_kind;
    action->payout_rate = terms_rate(terms, action->currency);
    action->payout = terms_payout(action->payout_kind, action->payout_rate, action->amount);
}

void action_begin(struct action *action, const struct terms *terms)
{
    action->disposition = "";
    action->locking_at = action->clearing_at = action->cleared_at = DATE_NONE;
    action->clearing_days = TERMS_NEVER;
    action->payout_kind = PAYOUT_GRANTED;
    if (terms != NULL)
        take_terms(action, terms);
    action->updated_at = action->created_at;
    action->intended_amount = action->delta_amount = action->amount;
    action->intended_payout = action->delta_payout = action->payout;
    action->revision = 1;
}

void action_from_inquiry(struct action *action, const struct inquiry *inquiry, int64_t tracker,
                         const char *tracker_name, int64_t now_ms)
{
    int64_t payout =
        inquiry->final_payout != MONEY_NONE ? inquiry->final_payout : inquiry->expected_payout;
    *action = (struct action){
        .partner = inquiry->partner,
        .brand = inquiry->brand,
        .campaign = inquiry->campaign,
        .tracker = tracker,
        .campaign_name = copy(inquiry->campaign_name),
        .partner_name = copy(inquiry->partner_name),
        .tracker_name = copy(tracker_name),
        .inquiry = inquiry->id,
        .order_id = copy(inquiry->order_id),
        .customer_id = copy(NULL),
        .partner_customer_id = copy(inquiry->customer_id),
        .promo_code = copy(inquiry->promo_code),
        .status = ACTION_PENDING,
        .amount = inquiry->amount,
        .payout = payout,
        .referring_type = "ACTION_INQUIRY",
        .event_at = inquiry->transaction_at,
        .created_at = now_ms,
    };
    memcpy(action->currency, inquiry->currency, sizeof(action->currency));
    action_begin(action, NULL);
}

void action_free(struct action *action)
{
    char *owned[] = { action->campaign_name, action->partner_name, action->tracker_name,
                      action->order_id,      action->customer_id,  action->promo_code,
                      action->items,         action->sub_ids[0],   action->sub_ids[1],
                      action->sub_ids[2],    action->shared_id,    action->partner_customer_id };
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        free(owned[i]);
    *action = (struct action){ 0 };
}

static json_t *items_show(const struct action *action)
{
    json_t *items = action->items != NULL ? json_loads(action->items, 0, NULL) : NULL;
    if (json_is_array(items))
        return items;
    json_decref(items);
    return json_array();
}

json_t *action_item(const json_t *items, const char *sku)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        const char *its = json_string_value(json_object_get(item, "Sku"));
        if (its != NULL && strcmp(its, sku) == 0)
            return item;
    }
    return NULL;
}

/* ---- what it has to say, to the API and to events ---- */

/* Of two amounts, of which one may not be known; MONEY_NONE when neither is. */
static int64_t plain_difference(int64_t now, int64_t before)
{
    if (now == MONEY_NONE && before == MONEY_NONE)
        return MONEY_NONE;
    return (now != MONEY_NONE ? now : 0) - (before != MONEY_NONE ? before : 0);
}

enum { IN_API = 1, IN_EVENTS = 2, IN_BOTH = IN_API | IN_EVENTS };
enum field_kind {
    FIELD_NONE, /* a data point that it never has */
    FIELD_INT,
    FIELD_ID, /* 0: "" */
    FIELD_OWNED,
    FIELD_CONSTANT,
    FIELD_AMOUNT,
    FIELD_DAY,
    FIELD_CURRENCY,
    FIELD_TYPE,
    FIELD_STATUS,
    FIELD_CUSTOMER,
    FIELD_PAYOUT_CHANGED, /* by all changes together */
    FIELD_AMOUNT_CHANGED,
    FIELD_ITEMS,
};

#define AT(member) offsetof(struct action, member)

/* In the catalog's order.  An event tells what it changed, the API what all changes did together.
 * An action is in the currency in which the customer paid. */
static const struct action_field {
    const char *name;
    enum field_kind kind;
    int in;
    size_t at;
} fields[] = {
    { "Id", FIELD_INT, IN_API, AT(id) },
    { "CampaignId", FIELD_INT, IN_BOTH, AT(campaign) },
    { "CampaignName", FIELD_OWNED, IN_BOTH, AT(campaign_name) },
    { "ActionTrackerId", FIELD_INT, IN_BOTH, AT(tracker) },
    { "ActionTrackerName", FIELD_OWNED, IN_BOTH, AT(tracker_name) },
    { "MediaPartnerId", FIELD_INT, IN_BOTH, AT(partner) },
    { "MediaPartnerName", FIELD_OWNED, IN_BOTH, AT(partner_name) },
    { "ActionType", FIELD_TYPE, IN_BOTH, 0 },
    { "ReferringType", FIELD_CONSTANT, IN_BOTH, AT(referring_type) },
    { "ActionId", FIELD_INT, IN_EVENTS, AT(id) },
    { "Oid", FIELD_OWNED, IN_BOTH, AT(order_id) },
    { "Status", FIELD_STATUS, IN_BOTH, 0 },
    { "State", FIELD_STATUS, IN_API, 0 }, /* its published name */
    { "StatusDetail", FIELD_CONSTANT, IN_BOTH, AT(disposition) },
    { "AdId", FIELD_NONE, IN_EVENTS, 0 },
    { "Payout", FIELD_AMOUNT, IN_BOTH, AT(payout) },
    { "DeltaPayout", FIELD_PAYOUT_CHANGED, IN_API, 0 },
    { "DeltaPayout", FIELD_AMOUNT, IN_EVENTS, AT(delta_payout) },
    { "IntendedPayout", FIELD_AMOUNT, IN_BOTH, AT(intended_payout) },
    { "Amount", FIELD_AMOUNT, IN_BOTH, AT(amount) },
    { "DeltaAmount", FIELD_AMOUNT_CHANGED, IN_API, 0 },
    { "DeltaAmount", FIELD_AMOUNT, IN_EVENTS, AT(delta_amount) },
    { "IntendedAmount", FIELD_AMOUNT, IN_BOTH, AT(intended_amount) },
    { "Currency", FIELD_CURRENCY, IN_BOTH, 0 },
    { "OriginalCurrency", FIELD_CURRENCY, IN_EVENTS, 0 },
    { "OriginalAmount", FIELD_AMOUNT, IN_EVENTS, AT(intended_amount) },
    { "EventDate", FIELD_DAY, IN_BOTH, AT(event_at) },
    { "CreationDate", FIELD_DAY, IN_BOTH, AT(created_at) },
    { "LastUpdatedDate", FIELD_DAY, IN_API, AT(updated_at) },
    { "LockingDate", FIELD_DAY, IN_BOTH, AT(locking_at) },
    { "ClearingDate", FIELD_DAY, IN_API, AT(clearing_at) },
    { "ClearedDate", FIELD_DAY, IN_BOTH, AT(cleared_at) },
    { "ReferringDate", FIELD_NONE, IN_EVENTS, 0 },
    { "CustomerId", FIELD_CUSTOMER, IN_BOTH, 0 },
    { "PromoCode", FIELD_OWNED, IN_BOTH, AT(promo_code) },
    { "SubId1", FIELD_OWNED, IN_BOTH, AT(sub_ids[0]) },
    { "SubId2", FIELD_OWNED, IN_BOTH, AT(sub_ids[1]) },
    { "SubId3", FIELD_OWNED, IN_BOTH, AT(sub_ids[2]) },
    { "SharedId", FIELD_OWNED, IN_BOTH, AT(shared_id) },
    { "LandingPageUrl", FIELD_NONE, IN_EVENTS, 0 },
    { "Items", FIELD_ITEMS, IN_BOTH, 0 },
    { "InquiryId", FIELD_ID, IN_EVENTS, AT(inquiry) }, /* an event has more than the API shows */
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]), FIELD_TEXT_MAX = 64 };
static_assert((int)DATE_TEXT <= (int)FIELD_TEXT_MAX && (int)MONEY_TEXT <= (int)FIELD_TEXT_MAX,
              "any of them fits");

/* Each knows the customer by an id of its own: the brand's is the brand's alone. */
static const char *customer_of(const struct action *action, bool for_brand)
{
    return for_brand ? action->customer_id : action->partner_customer_id;
}

static const char *number_text(char out[FIELD_TEXT_MAX], int64_t number, bool or_none)
{
    out[0] = '\0';
    if (number != 0 || !or_none)
        snprintf(out, FIELD_TEXT_MAX, "%" PRId64, number);
    return out;
}

/* Of all but the items; may be NULL. */
static const char *field_text(const struct action *action, const struct action_field *field,
                              bool for_brand, char out[FIELD_TEXT_MAX])
{
    const char *at = (const char *)action + field->at;
    const int64_t *number = (const void *)at;
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_ID:
        return number_text(out, *number, field->kind == FIELD_ID);
    case FIELD_OWNED:
    case FIELD_CONSTANT:
        return *(const char *const *)(const void *)at;
    case FIELD_AMOUNT:
        return money_format(out, *number, action->currency);
    case FIELD_PAYOUT_CHANGED:
        return money_format(out, plain_difference(action->payout, action->intended_payout),
                            action->currency);
    case FIELD_AMOUNT_CHANGED:
        return money_format(out, plain_difference(action->amount, action->intended_amount),
                            action->currency);
    case FIELD_DAY:
        return date_format(out, *number);
    case FIELD_CURRENCY:
        return action->currency;
    case FIELD_TYPE:
        return "SALE";
    case FIELD_STATUS:
        return action_status_name(action->status);
    case FIELD_CUSTOMER:
        return customer_of(action, for_brand);
    default:
        return NULL;
    }
}

json_t *action_show(const struct action *action, bool for_brand)
{
    char text[FIELD_TEXT_MAX];
    json_t *shown = json_object();
    for (size_t i = 0; i < FIELDS; i++) {
        if ((fields[i].in & IN_API) == 0)
            continue;
        if (fields[i].kind == FIELD_ITEMS)
            json_object_set_new(shown, fields[i].name, items_show(action));
        else
            show_text(shown, fields[i].name, field_text(action, &fields[i], for_brand, text));
    }
    return shown;
}

/* ---- events: written as they are, since a night may bring a million of them ---- */

static void add_items(const struct action *action, struct buf *out)
{
    json_t *items = action->items != NULL ? items_show(action) : NULL;
    char *text = items != NULL ? json_dumps(items, JSON_COMPACT) : NULL;
    buf_str(out, text != NULL ? text : "[]");
    free(text);
    json_decref(items);
}

/* From where the last one was found: both are in the catalog's order. */
static const struct action_field *field_of(const char *point, size_t *from)
{
    for (size_t i = 0; i < FIELDS; i++) {
        const struct action_field *field = &fields[(*from + i) % FIELDS];
        if ((field->in & IN_EVENTS) != 0 && strcmp(field->name, point) == 0) {
            *from = (*from + i + 1) % FIELDS;
            return field;
        }
    }
    bug("an action has no %s", point);
}

static void add_point(const struct action *action, const struct action_field *field, bool for_brand,
                      struct buf *out)
{
    char text[FIELD_TEXT_MAX];
    escape_add(out, ESCAPE_JSON_QUOTED, field->name, strlen(field->name));
    buf_char(out, ':');
    if (field->kind == FIELD_ITEMS) {
        add_items(action, out);
        return;
    }
    const char *value = field_text(action, field, for_brand, text);
    if (value == NULL)
        value = "";
    escape_add(out, ESCAPE_JSON_QUOTED, value, strlen(value));
}

bool action_sides_differ(const struct action *action)
{
    const char *partners = customer_of(action, false), *brands = customer_of(action, true);
    return strcmp(partners != NULL ? partners : "", brands != NULL ? brands : "") != 0;
}

void action_event_data(const struct action *action, bool for_brand, struct buf *out)
{
    const struct event_type *type = catalog_type("action.tracked");
    size_t from = 0;
    for (size_t i = 0; i < type->point_count; i++) {
        buf_char(out, i == 0 ? '{' : ',');
        add_point(action, field_of(type->points[i].name, &from), for_brand, out);
    }
    buf_char(out, '}');
}
