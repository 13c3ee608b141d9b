/* action.c — a conversion credited to a partner: how it is made of an inquiry, and how it is shown.
 *
 * As with inquiries, an event's data is the catalog's list of names filled from one table of
 * values, so every data point of the type is there, "" when the action has none.
 */
#include "model/action.h"

#include "base/fail.h"
#include "model/catalog.h"
#include "model/show.h"

#include <inttypes.h>
#include <stdarg.h>
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

/* ---- showing ---- */

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

/* Of two amounts, of which one may not be known; MONEY_NONE when neither is. */
static int64_t plain_difference(int64_t now, int64_t before)
{
    if (now == MONEY_NONE && before == MONEY_NONE)
        return MONEY_NONE;
    return (now != MONEY_NONE ? now : 0) - (before != MONEY_NONE ? before : 0);
}

json_t *action_show(const struct action *action, bool for_brand)
{
    const char *own = action->partner_customer_id;
    const char *customer = for_brand || own == NULL || *own == '\0' ? action->customer_id : own;
    json_t *shown = json_object();
    show_int(shown, "Id", action->id);
    show_int(shown, "CampaignId", action->campaign);
    show_text(shown, "CampaignName", action->campaign_name);
    show_int(shown, "ActionTrackerId", action->tracker);
    show_text(shown, "ActionTrackerName", action->tracker_name);
    show_int(shown, "MediaPartnerId", action->partner);
    show_text(shown, "MediaPartnerName", action->partner_name);
    show_text(shown, "ActionType", "SALE");
    show_text(shown, "ReferringType", action->referring_type);
    show_text(shown, "Oid", action->order_id);
    show_text(shown, "Status", action_status_name(action->status));
    show_text(shown, "State", action_status_name(action->status)); /* its published name */
    show_text(shown, "StatusDetail", action->disposition);
    show_money(shown, "Payout", action->payout, action->currency);
    show_money(shown, "DeltaPayout", plain_difference(action->payout, action->intended_payout),
               action->currency);
    show_money(shown, "IntendedPayout", action->intended_payout, action->currency);
    show_money(shown, "Amount", action->amount, action->currency);
    show_money(shown, "DeltaAmount", plain_difference(action->amount, action->intended_amount),
               action->currency);
    show_money(shown, "IntendedAmount", action->intended_amount, action->currency);
    show_text(shown, "Currency", action->currency);
    show_date(shown, "EventDate", action->event_at);
    show_date(shown, "CreationDate", action->created_at);
    show_date(shown, "LastUpdatedDate", action->updated_at);
    show_date(shown, "LockingDate", action->locking_at);
    show_date(shown, "ClearingDate", action->clearing_at);
    show_date(shown, "ClearedDate", action->cleared_at);
    show_text(shown, "CustomerId", customer);
    show_text(shown, "PromoCode", action->promo_code);
    show_text(shown, "SubId1", action->sub_ids[0]);
    show_text(shown, "SubId2", action->sub_ids[1]);
    show_text(shown, "SubId3", action->sub_ids[2]);
    show_text(shown, "SharedId", action->shared_id);
    json_object_set_new(shown, "Items", items_show(action));
    return shown;
}

/* Data points that repeat another field of the action under a further name: it is in the currency
 * in which the customer paid. */
static const char *const same_as[][2] = {
    { "ActionId", "Id" },
    { "OriginalAmount", "IntendedAmount" },
    { "OriginalCurrency", "Currency" },
};

static const char *field_of(const char *point)
{
    for (size_t i = 0; i < sizeof(same_as) / sizeof(same_as[0]); i++)
        if (strcmp(same_as[i][0], point) == 0)
            return same_as[i][1];
    return point;
}

void action_event_data(const struct action *action, bool for_brand, struct buf *out)
{
    const struct event_type *type = catalog_type("action.tracked");
    json_t *shown = action_show(action, for_brand);
    json_t *data = json_object();
    show_id(shown, "InquiryId", action->inquiry); /* an event carries more than the API shows */
    /* An event tells what it changed, the API what all changes did together. */
    show_money(shown, "DeltaPayout", action->delta_payout, action->currency);
    show_money(shown, "DeltaAmount", action->delta_amount, action->currency);
    for (size_t i = 0; i < type->point_count; i++) {
        const char *name = type->points[i].name;
        json_t *value = json_object_get(shown, field_of(name));
        if (value != NULL)
            json_object_set(data, name, value);
        else
            show_text(data, name, "");
    }
    char *text = json_dumps(data, JSON_COMPACT);
    if (text == NULL)
        bug("action %" PRId64 " cannot be written as JSON", action->id);
    buf_str(out, text);
    free(text);
    json_decref(data);
    json_decref(shown);
}
