/* decision_row.c — a row against the inquiry as the brand sees it now.
 *
 * A brand downloads its list, fills in some rows and sends all back, maybe twice.  Only what a cell
 * says is compared: an empty one says nothing.  When in doubt the row decides, and is then taken or
 * refused like any other, so that no decision is ever passed over.
 */
#include "api/decision_row.h"

#include "api/inquiries.h"
#include "base/id.h"
#include "base/text.h"
#include "model/date.h"
#include "model/inquiry.h"
#include "model/money.h"
#include "store/actions.h"

#include <string.h>

enum same_as { AS_TEXT, AS_AMOUNT, AS_DATE, AS_REASON, OF_ACTION, NOT_SHOWN };

static const struct {
    const char *field;
    enum same_as as;
    bool decides; /* who fills it in has decided something */
} compared[] = {
    { "RejectReason", AS_REASON, true },    { "FinalPayout", AS_AMOUNT, true },
    { "ResolutionNotes", AS_TEXT, true },   { "PromoCode", AS_TEXT, true },
    { "ActionTrackerId", OF_ACTION, true }, { "CustomerId", NOT_SHOWN, true },
    { "TransactionDate", AS_DATE, false },  { "TransactionAmount", AS_AMOUNT, false },
};
enum { COMPARED = sizeof(compared) / sizeof(compared[0]) };

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static bool same_amount(const char *cell, const char *shown, const char *currency)
{
    int64_t a, b;
    if (money_parse(cell, currency, &a) != NULL)
        return false;
    return shown[0] == '\0' ? a == 0 : money_parse(shown, currency, &b) == NULL && a == b;
}

static bool same_date(const char *cell, const char *shown)
{
    int64_t a, b;
    return date_parse(cell, &a) && date_parse(shown, &b) && a == b;
}

/* The cell against the member of the inquiry, or of its action (NULL: there is none). */
static bool same(size_t i, const char *cell, const json_t *shown, const json_t *action)
{
    const char *name = compared[i].field, *now = text_of(shown, name);
    switch (compared[i].as) {
    case AS_AMOUNT:
        return same_amount(cell, now, text_of(shown, "Currency"));
    case AS_DATE:
        return same_date(cell, now);
    case AS_REASON:
        return reject_reason_named(cell) != -1 &&
               reject_reason_named(cell) == reject_reason_named(now);
    case OF_ACTION:
        return strcmp(cell, text_of(action, name)) == 0;
    case NOT_SHOWN:
        return action == NULL || strcmp(cell, text_of(action, name)) == 0;
    case AS_TEXT:
        break;
    }
    return strcmp(cell, now) == 0;
}

static enum decision_row compare(const json_t *fields, const json_t *shown, const json_t *action)
{
    const char *status = text_of(fields, "ResolutionStatus");
    bool undecided = status[0] == '\0' || text_same(status, "UNRESOLVED");
    if (!undecided && !text_same(status, text_of(shown, "ResolutionStatus")))
        return ROW_DECIDES;
    for (size_t i = 0; i < COMPARED; i++) {
        const char *cell = text_of(fields, compared[i].field);
        bool counts = cell[0] != '\0' && (compared[i].decides || !undecided);
        if (counts && !same(i, cell, shown, action))
            return ROW_DECIDES;
    }
    return undecided ? ROW_UNDECIDED : ROW_UNCHANGED;
}

enum decision_row decision_row_kind(struct db *db, const struct caller *caller,
                                    const json_t *fields)
{
    int64_t id, of_action;
    if (!id_parse(text_of(fields, "Id"), &id) || id == 0)
        return ROW_DECIDES;
    json_t *shown = inquiry_shown(db, caller, id), *action = NULL;
    if (shown == NULL)
        return ROW_DECIDES;
    if (id_parse(text_of(shown, "ActionId"), &of_action) && of_action != 0)
        action = action_find(db, caller, of_action);
    enum decision_row kind = compare(fields, shown, action);
    json_decref(action);
    json_decref(shown);
    return kind;
}
