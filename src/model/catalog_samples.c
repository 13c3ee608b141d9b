/* catalog_samples.c — where a data point's sample does not fit an event type: what it is there.
 *
 * Types of one category share their data points, and what one of them tells has not happened yet
 * at another: an inquiry that was just opened is not declined.  The rule: the samples of a type
 * are together an event that can happen.
 */
#include "model/catalog.h"

#include <string.h>

struct sample {
    const char *type, *point, *sample;
};

/* What no decision has touched. */
#define UNDECIDED(type)                                                                            \
    { type, "ResolutionStatus", "UNRESOLVED" }, { type, "RejectReason", "" },                      \
        { type, "FinalPayout", "" }, { type, "ResolutionDate", "" },                               \
        { type, "ResolutionNotes", "" }, { type, "PromoCode", "" }, { type, "ActionId", "" },      \
        { type, "ActionUri", "" },                                                                 \
    {                                                                                              \
        type, "ClosedDate", ""                                                                     \
    }
/* Declined: no action was made, and no rule will accept it. */
#define DECLINED(type)                                                                             \
    { type, "FinalPayout", "" }, { type, "PromoCode", "" }, { type, "ActionId", "" },              \
        { type, "ActionUri", "" },                                                                 \
    {                                                                                              \
        type, "AutoApprovalDate", ""                                                               \
    }
/* Nothing has changed it since it was made, and it was not brought by an inquiry. */
#define UNCHANGED(type)                                                                            \
    { type, "StatusDetail", "" }, { type, "DeltaPayout", "0.00" },                                 \
        { type, "IntendedPayout", "6.50" }, { type, "DeltaAmount", "0.00" },                       \
        { type, "IntendedAmount", "129.90" },                                                      \
    {                                                                                              \
        type, "InquiryId", ""                                                                      \
    }

static const struct sample samples[] = {
    UNDECIDED("action_inquiry.opened"),
    DECLINED("action_inquiry.resolved"),
    { "action_inquiry.resolved", "ClosedDate", "" },
    { "action_inquiry.closed", "ResolutionStatus", "VALID" },
    { "action_inquiry.closed", "RejectReason", "" },
    { "action_inquiry.closed", "ResolutionNotes", "" },
    { "action_inquiry.closed", "AutoApprovalDate", "" },
    { "action_inquiry.closed", "State", "CLOSED" },
    DECLINED("action_inquiry.incomplete"),
    { "action_inquiry.incomplete", "ResolutionStatus", "INCOMPLETE" },
    { "action_inquiry.incomplete", "RejectReason", "" },
    { "action_inquiry.incomplete", "ResolutionDate", "" },
    { "action_inquiry.incomplete", "ResolutionNotes", "Which shop was it?" },
    { "action_inquiry.incomplete", "ClosedDate", "" },
    UNDECIDED("action_inquiry.replied"),
    { "action_inquiry.replied", "AutoApprovalDate", "" },
    { "action_inquiry.replied", "ResolutionNotes", "Which shop was it?" },
    { "action_inquiry.replied", "Comments",
      "[{\"User\":\"Dana Reyes\",\"Comment\":\"The one in Lyon.\",\"Date\":"
      "\"2026-11-25T18:40:17+00:00\"}]" },
    UNDECIDED("action_inquiry.reopened"),
    { "action_inquiry.reopened", "AutoApprovalDate", "" },
    { "action_inquiry.reopened", "ResolutionNotes", "Paid with a gift card" },
    { "action_inquiry.reopened", "Reopened", "true" },
    { "action_inquiry.reopened", "Comments",
      "[{\"User\":\"Dana Reyes\",\"Comment\":\"Here is the receipt.\",\"Date\":"
      "\"2026-11-25T18:40:17+00:00\"}]" },
    UNCHANGED("action.tracked"),
    { "action.tracked", "ClearedDate", "" },
    { "action.modified", "ClearedDate", "" },
    { "action.modified", "ReferringType", "ACTION_INQUIRY" },
    { "action.reversed", "Status", "REVERSED" },
    { "action.reversed", "Payout", "0.00" },
    { "action.reversed", "DeltaPayout", "-7.70" },
    { "action.reversed", "Amount", "0.00" },
    { "action.reversed", "DeltaAmount", "-153.90" },
    { "action.reversed", "ClearedDate", "" },
    { "action.reversed", "InquiryId", "" },
    UNCHANGED("action.cleared"),
    { "action.cleared", "Status", "APPROVED" },
    { "product_data.changed", "ItemsAdded", "0" }, /* as its Items say */
    { "product_data.changed", "ItemsChanged", "1" },
    { "product_data.changed", "ItemsRemoved", "0" },
    { "system.maintenance_started", "EndDate", "" },
    { "system.maintenance_started", "PendingPostbacks", "0" },
    { "notification.recovered", "PendingPostbacks", "0" },
    { "notification.recovered", "OldestPendingDate", "" },
};

const char *catalog_sample(const struct event_type *type, const struct data_point *point)
{
    const char *found = strcmp(point->name, "EventType") == 0 ? type->name : point->sample;
    if (type->number >= CATALOG_ADDED_FIRST)
        return found;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        if (strcmp(samples[i].type, type->name) == 0 && strcmp(samples[i].point, point->name) == 0)
            found = samples[i].sample; /* a later row goes before one of a group */
    }
    return found;
}
