/* order_items.c — numbered fields gathered by number.
 *
 * An amount is kept as it was written, under the client's own name too, because the currency it is
 * read in may be known only later.
 */
#include "model/order_items.h"

#include "base/text.h"
#include "model/money.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ITEM_FIELD_MAX = 200, ITEM_QUANTITY_MOST = 1000000 };

enum item_kind { ITEM_TEXT, ITEM_COUNT, ITEM_MONEY };

static const struct item_field {
    const char *request; /* without the number; read without regard to case */
    const char *name;    /* in the item */
    enum item_kind kind;
} item_fields[] = {
    { "ItemSku", "Sku", ITEM_TEXT },
    { "ItemName", "Name", ITEM_TEXT },
    { "ItemCategory", "Category", ITEM_TEXT },
    { "ItemSubCategory", "SubCategory", ITEM_TEXT },
    { "ItemMpn", "Mpn", ITEM_TEXT },
    { "ItemQty", "Quantity", ITEM_COUNT },
    { "ItemQuantity", "Quantity", ITEM_COUNT },
    { "ItemSubtotal", "Amount", ITEM_MONEY },
    { "ItemAmount", "Amount", ITEM_MONEY },
    { "ItemTotalRebate", "TotalRebate", ITEM_MONEY },
    { "ItemDiscount", "Discount", ITEM_MONEY },
};
enum { ITEM_FIELDS = sizeof(item_fields) / sizeof(item_fields[0]) };

/* "ItemSku12" gives its row of the table and 12; NULL: no item's field. */
static const struct item_field *item_field_of(const char *name, int64_t *number)
{
    for (size_t i = 0; i < ITEM_FIELDS; i++) {
        size_t len = strlen(item_fields[i].request);
        if (strncasecmp(name, item_fields[i].request, len) == 0 && name[len] != '0' &&
            text_int(name + len, 1, INT64_MAX, number))
            return &item_fields[i];
    }
    return NULL;
}

/* Items while they are read; amounts also under their own names, until the currency is known. */
struct gathered {
    json_t *by_number[ORDER_ITEMS_MAX + 1];
    json_t *amounts;
};

/* False: another name of the same thing said something else. */
static bool keep_item_field(struct gathered *items, const char *name,
                            const struct item_field *field, int64_t number, const char *text)
{
    if (items->by_number[number] == NULL)
        items->by_number[number] = json_object();
    const json_t *there = json_object_get(items->by_number[number], field->name);
    if (there != NULL && strcmp(json_string_value(there), text) != 0)
        return false;
    json_object_set_new(items->by_number[number], field->name, json_string(text));
    if (field->kind == ITEM_MONEY) {
        if (items->amounts == NULL)
            items->amounts = json_object();
        json_object_set_new(items->amounts, name, json_string(text));
    }
    return true;
}

static void read_item_field(struct gathered *items, const struct fields *fields, const char *name,
                            const struct item_field *field, int64_t number)
{
    if (number > ORDER_ITEMS_MAX) {
        problems_add(fields->problems, fields_label(fields, name), "is beyond the %d items allowed",
                     ORDER_ITEMS_MAX);
        return;
    }
    char *text = fields_text(fields, name, ITEM_FIELD_MAX,
                             field->kind == ITEM_TEXT ? 0 : FIELD_NUMBER, NULL);
    int64_t quantity;
    if (text != NULL && field->kind == ITEM_COUNT &&
        !text_int(text, 1, ITEM_QUANTITY_MOST, &quantity)) {
        problems_add(fields->problems, fields_label(fields, name),
                     "must be a whole number from 1 to %d", ITEM_QUANTITY_MOST);
    } else if (text != NULL && !keep_item_field(items, name, field, number, text)) {
        problems_add(fields->problems, fields_label(fields, name),
                     "is given under two names, with two values");
    }
    free(text);
}

void order_items_read(struct order_items *items, const struct fields *fields,
                      bool (*is_known)(const char *name), const char *unknown)
{
    struct gathered gathered = { 0 };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)fields->from, name, value)
    {
        int64_t number;
        const struct item_field *field = item_field_of(name, &number);
        if (field != NULL)
            read_item_field(&gathered, fields, name, field, number);
        else if (!is_known(name))
            problems_add(fields->problems, fields_label(fields, name), "%s", unknown);
    }
    *items = (struct order_items){ .amounts = gathered.amounts };
    for (size_t i = 1; i <= ORDER_ITEMS_MAX; i++) {
        if (gathered.by_number[i] == NULL)
            continue;
        if (items->items == NULL)
            items->items = json_array();
        json_array_append_new(items->items, gathered.by_number[i]);
    }
    /* They go into an event, which has a cap. */
    if (json_dumpb(items->items, NULL, 0, JSON_COMPACT) > ORDER_ITEMS_BYTES)
        problems_add(fields->problems, "Items", "must be at most %d bytes together",
                     ORDER_ITEMS_BYTES);
}

int64_t order_items_total(const struct order_items *items, const char *currency,
                          const struct fields *fields)
{
    int64_t total = MONEY_NONE;
    size_t before = fields->problems->count, i;
    const char *name;
    json_t *text, *item;
    json_object_foreach(items->amounts, name, text)
    {
        fields_amount(fields, name, json_string_value(text), currency, false);
    }
    if (fields->problems->count > before)
        return MONEY_NONE;
    json_array_foreach(items->items, i, item)
    {
        int64_t amount;
        const char *subtotal = json_string_value(json_object_get(item, "Amount"));
        if (subtotal != NULL && money_parse(subtotal, currency, &amount) == NULL)
            total = (total != MONEY_NONE ? total : 0) + amount;
    }
    return total;
}

void order_items_free(struct order_items *items)
{
    json_decref(items->items);
    json_decref(items->amounts);
    *items = (struct order_items){ 0 };
}
