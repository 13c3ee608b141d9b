/* action_change.c — reading what a brand wants changed of an action: a call's fields, or a row of a
 * file.
 *
 * The names are the published ones.  Items come as numbered fields (Sku, Sku2, Quantity2, …) and
 * are gathered by number; "Sku" and "Sku1" are the same.  State is ours: APPROVED locks the action
 * now, REVERSED takes it back.
 */
#include "model/action_life.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/fields.h"

#include <stdlib.h>
#include <string.h>

enum { QUANTITY_MOST = 1000000, DISPOSITION_MAX = 40 };

static const char *const known_fields[] = { "ActionId", "ActionTrackerId", "OrderId", "Amount",
                                            "Reason",   "DispositionCode", "State" };

enum item_field { ITEM_SKU, ITEM_QUANTITY, ITEM_DELTA, ITEM_FIELDS };
static const char *const item_fields[] = {
    [ITEM_SKU] = "Sku",
    [ITEM_QUANTITY] = "Quantity",
    [ITEM_DELTA] = "ItemSubTotalDelta",
};

/* "Sku12" is field ITEM_SKU and 12, "Sku" and "Sku1" are 1; false: no item's field. */
static bool item_field_of(const char *name, enum item_field *field, int64_t *number)
{
    for (int i = 0; i < ITEM_FIELDS; i++) {
        size_t len = strlen(item_fields[i]);
        if (strncmp(name, item_fields[i], len) != 0)
            continue;
        *field = (enum item_field)i;
        *number = 1;
        if (name[len] == '\0' || (name[len] != '0' && text_int(name + len, 1, INT64_MAX, number)))
            return true;
    }
    return false;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof(known_fields) / sizeof(known_fields[0]); i++)
        if (strcmp(known_fields[i], name) == 0)
            return true;
    return false;
}

/* ---- items ---- */

static void take_text(char **to, char *text, const struct fields *fields, const char *name)
{
    if (*to != NULL && text != NULL && strcmp(*to, text) != 0)
        problems_add(fields->problems, fields_label(fields, name),
                     "is given under two names, with two values");
    if (*to == NULL)
        *to = text;
    else
        free(text);
}

static void read_item_field(struct action_change_item *item, const struct fields *fields,
                            const char *name, enum item_field field)
{
    char *text = fields_text(fields, name, field == ITEM_SKU ? SKU_MAX : 40,
                             field == ITEM_SKU ? 0 : FIELD_NUMBER, NULL);
    if (field == ITEM_SKU) {
        take_text(&item->sku, text, fields, name);
        return;
    }
    if (field == ITEM_DELTA) {
        take_text(&item->delta, text, fields, name);
        return;
    }
    if (text != NULL && !text_int(text, 0, QUANTITY_MOST, &item->quantity)) {
        item->quantity = 0; /* it is given, if wrong */
        problems_add(fields->problems, fields_label(fields, name),
                     "must be a whole number from 0 to %d", QUANTITY_MOST);
    }
    free(text);
}

static void read_items(struct action_change_item *items, const struct fields *fields)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)fields->from, name, value)
    {
        enum item_field field;
        int64_t number;
        if (!item_field_of(name, &field, &number)) {
            if (!is_known(name))
                problems_add(fields->problems, fields_label(fields, name),
                             "is not a field of a change of an action");
        } else if (number > ACTION_PARTS_MAX) {
            problems_add(fields->problems, fields_label(fields, name),
                         "is beyond the %d items allowed", ACTION_PARTS_MAX);
        } else {
            read_item_field(&items[number - 1], fields, name, field);
        }
    }
}

static bool is_named(const struct action_change *change, const char *sku)
{
    for (size_t i = 0; i < change->item_count; i++)
        if (strcmp(change->items[i].sku, sku) == 0)
            return true;
    return false;
}

/* The items that were given, one behind the other. */
static void gather_items(struct action_change *change, struct action_change_item *items,
                         const struct fields *fields)
{
    for (size_t i = 0; i < ACTION_PARTS_MAX; i++) {
        struct action_change_item *item = &items[i];
        bool given = item->sku != NULL || item->delta != NULL || item->quantity >= 0;
        const char *wrong = NULL;
        if (!given)
            continue;
        if (item->sku == NULL)
            wrong = "is required: which item it is";
        else if (item->delta == NULL && item->quantity < 0)
            wrong = "has no Quantity and no ItemSubTotalDelta";
        else if (is_named(change, item->sku))
            wrong = "names an item twice";
        if (wrong == NULL) {
            change->items[change->item_count++] = *item;
            continue;
        }
        problems_add(fields->problems, fields_label(fields, "Sku"), "%s", wrong);
        free(item->sku);
        free(item->delta);
    }
}

/* ---- the rest ---- */

static void read_key(struct action_change *change, const struct fields *fields)
{
    change->action = fields_id(fields, "ActionId", NULL);
    change->tracker = fields_id(fields, "ActionTrackerId", NULL);
    change->order_id = fields_text(fields, "OrderId", ORDER_ID_MAX, FIELD_IDENTIFIER, NULL);
    if (change->action == 0 && fields->problems->count == 0 &&
        (change->tracker == 0 || change->order_id == NULL))
        problems_add(fields->problems, fields_label(fields, "ActionId"),
                     "is required: the action, or else ActionTrackerId and OrderId");
}

static void add_choice(const struct fields *fields, const char *name, bool removing)
{
    struct buf list = { 0 };
    for (const char *const *each = action_dispositions(removing); *each != NULL; each++)
        buf_fmt(&list, "%s%s", list.len > 0 ? ", " : "", *each);
    problems_add(fields->problems, fields_label(fields, name), "must be one of: %s",
                 buf_text(&list));
    buf_free(&list);
}

static const char *read_one_reason(const struct fields *fields, const char *name, bool removing)
{
    char *text = fields_text(fields, name, DISPOSITION_MAX, 0, NULL);
    const char *code = text != NULL ? action_disposition(text) : NULL;
    if (text != NULL && (code == NULL || (removing && code == action_dispositions(false)[0]))) {
        add_choice(fields, name, removing);
        code = NULL;
    }
    free(text);
    return code;
}

/* Under either name. */
static void read_disposition(struct action_change *change, const struct fields *fields)
{
    bool reverses = change->step == ACTION_REVERSE;
    size_t before = fields->problems->count;
    const char *code = read_one_reason(fields, "DispositionCode", reverses);
    const char *reason = read_one_reason(fields, "Reason", reverses);
    if (code != NULL && reason != NULL && code != reason)
        problems_add(fields->problems, fields_label(fields, "Reason"),
                     "is another one than DispositionCode");
    change->disposition = code != NULL ? code : reason;
    if (change->disposition == NULL && reverses && fields->problems->count == before)
        add_choice(fields, "DispositionCode", true);
    if (change->disposition == NULL)
        change->disposition = action_dispositions(false)[0];
}

static void read_step(struct action_change *change, const struct fields *fields, bool removing)
{
    char *text = fields_text(fields, "State", 40, 0, NULL);
    enum action_status status = ACTION_PENDING;
    if (text != NULL && !action_status_named(text, &status))
        problems_add(fields->problems, fields_label(fields, "State"),
                     "must be PENDING, APPROVED or REVERSED");
    else if (removing && text != NULL && status != ACTION_REVERSED)
        problems_add(fields->problems, fields_label(fields, "State"),
                     "must be REVERSED, if it is given here");
    change->step = removing || status == ACTION_REVERSED ? ACTION_REVERSE
                   : status == ACTION_APPROVED           ? ACTION_APPROVE
                                                         : ACTION_MODIFY;
    free(text);
}

/* What goes with which step. */
static void check_parts(const struct action_change *change, const struct fields *fields)
{
    bool items = change->item_count > 0, amount = change->amount != NULL;
    if (fields->problems->count > 0)
        return;
    if (change->step == ACTION_MODIFY && !items && !amount)
        problems_add(fields->problems, fields_label(fields, "Amount"),
                     "is required: the new amount of the sale; or items by Sku, with Quantity or "
                     "ItemSubTotalDelta");
    if (items && amount)
        problems_add(fields->problems, fields_label(fields, "Amount"),
                     "goes without items: these give the new amount by themselves");
    if (change->step != ACTION_MODIFY && (items || amount))
        problems_add(fields->problems, fields_label(fields, amount ? "Amount" : "Sku"),
                     "is not for an action that is %s in the same step",
                     change->step == ACTION_APPROVE ? "approved" : "reversed");
}

void action_change_read(struct action_change *change, const json_t *from, bool removing,
                        const char *(*label)(const char *), struct problems *problems)
{
    const struct fields fields = { from, label, problems };
    struct action_change_item items[ACTION_PARTS_MAX] = { { 0 } };
    for (size_t i = 0; i < ACTION_PARTS_MAX; i++)
        items[i].quantity = -1;
    *change = (struct action_change){ .label = label };
    read_items(items, &fields);
    gather_items(change, items, &fields);
    read_key(change, &fields);
    read_step(change, &fields, removing);
    read_disposition(change, &fields);
    change->amount = fields_text(&fields, "Amount", 40, FIELD_NUMBER, NULL);
    check_parts(change, &fields);
}

void action_change_free(struct action_change *change)
{
    for (size_t i = 0; i < change->item_count; i++) {
        free(change->items[i].sku);
        free(change->items[i].delta);
    }
    free(change->order_id);
    free(change->amount);
    *change = (struct action_change){ 0 };
}
