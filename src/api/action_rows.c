/* action_rows.c — the columns of a file of changes, and a row against the action as it is now.
 *
 * A brand may send back a list that it has downloaded, with some cells changed: what a cell says
 * that is so already counts as nothing.  Columns of a list that a change does not know are passed
 * over by the reader (csv.h).
 */
#include "api/action_rows.h"

#include "base/id.h"
#include "base/text.h"
#include "model/money.h"
#include "store/actions.h"

#include <string.h>

static const struct csv_column columns[] = {
    { "Id", "ActionId", CSV_TEXT, NULL },
    { "Action Tracker Id", "ActionTrackerId", CSV_TEXT, NULL },
    { "Oid", "OrderId", CSV_TEXT, NULL },
    { "Amount", "Amount", CSV_AMOUNT, NULL },
    { "State", "State", CSV_TEXT, NULL },
    { "Reason", "DispositionCode", CSV_TEXT, NULL },
    { "Sku", "Sku", CSV_TEXT, NULL },
    { "Quantity", "Quantity", CSV_TEXT, NULL },
    { "Item Sub Total Delta", "ItemSubTotalDelta", CSV_AMOUNT, NULL },
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

size_t action_rows_columns(struct csv_column out[CSV_COLUMNS_MAX])
{
    memcpy(out, columns, sizeof(columns));
    return COLUMNS;
}

static const char *title_of(const char *field)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(columns[i].field, field) == 0)
            return columns[i].title;
    return field;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static bool is_given(const json_t *row, const char *name)
{
    return text_of(row, name)[0] != '\0';
}

/* Takes out of the row what is so already. */
static void drop_the_same(json_t *row, const json_t *shown)
{
    int64_t given, now;
    const char *currency = text_of(shown, "Currency");
    if (text_same(text_of(row, "State"), text_of(shown, "State")))
        json_object_del(row, "State");
    if (is_given(row, "Amount") && money_parse(text_of(row, "Amount"), currency, &given) == NULL &&
        money_parse(text_of(shown, "Amount"), currency, &now) == NULL && given == now)
        json_object_del(row, "Amount");
}

static bool wants_something(const json_t *row)
{
    static const char *const names[] = { "Amount", "State", "Sku", "Quantity",
                                         "ItemSubTotalDelta" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_given(row, names[i]))
            return true;
    return false;
}

bool action_row_take(struct job *job, struct db *db, const struct call *call, const json_t *row,
                     struct problems *problems, int64_t *id, bool *changed)
{
    enum action_step step = 0;
    json_t *wanted = json_copy((json_t *)row), *shown = NULL;
    bool done = true;
    *id = 0;
    if (id_parse(text_of(row, "ActionId"), id) && *id != 0)
        shown = action_find(db, &call->caller, *id);
    if (shown != NULL)
        drop_the_same(wanted, shown);
    if (shown == NULL || wants_something(wanted))
        done = action_change_take(job, db, call, wanted, false, title_of, problems, id, &step);
    *changed = step != 0;
    json_decref(shown);
    json_decref(wanted);
    return done;
}
