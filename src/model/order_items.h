/* order_items.h — the items of an order, as numbered fields of a request (ItemSku1, ItemQty1, …).
 *
 * Their names are the published ones, read without regard to case; two have an older one of ours
 * besides.
 */
#ifndef POSTBACKD_ORDER_ITEMS_H
#define POSTBACKD_ORDER_ITEMS_H

#include "model/fields.h"

enum { ORDER_ITEMS_MAX = 100, ORDER_ITEMS_BYTES = 32 * 1024 };

struct order_items {
    json_t *items;   /* [{"Sku","Name","Category","SubCategory","Mpn","Quantity","Amount", …}], or
                      * NULL */
    json_t *amounts; /* by the client's names, until the currency is known; or NULL */
};

/* Every member that is_known() does not claim: an item's, or a problem (`unknown`: "is not a field
 * of …"). */
void order_items_read(struct order_items *items, const struct fields *fields,
                      bool (*is_known)(const char *name), const char *unknown);
/* The amounts in this currency.  Gives their sum over all items' subtotals; MONEY_NONE: none is
 * given, or one is wrong, with a problem. */
int64_t order_items_total(const struct order_items *items, const char *currency,
                          const struct fields *fields);
void order_items_free(struct order_items *items);

#endif
