/* errand.c — a table of kinds, and one of the steps from state to state. */
#include "model/errand.h"

#include "base/text.h"

#include <stddef.h>

static const char *const state_names[ERRAND_STATES] = {
    [ERRAND_RECEIVING] = "QUEUED",    [ERRAND_QUEUED] = "QUEUED",
    [ERRAND_RUNNING] = "RUNNING",     [ERRAND_COMPLETED] = "COMPLETED",
    [ERRAND_CANCELLED] = "CANCELLED", [ERRAND_ERROR] = "ERROR",
    [ERRAND_FAILED] = "FAILED",
};

static const bool may_become[ERRAND_STATES][ERRAND_STATES] = {
    [ERRAND_RECEIVING] = { [ERRAND_QUEUED] = true, [ERRAND_CANCELLED] = true },
    [ERRAND_QUEUED] = { [ERRAND_RUNNING] = true, [ERRAND_CANCELLED] = true },
    [ERRAND_RUNNING] = { [ERRAND_COMPLETED] = true,
                         [ERRAND_CANCELLED] = true,
                         [ERRAND_ERROR] = true,
                         [ERRAND_FAILED] = true },
};

static const struct {
    const char *name, *records, *file, *title;
} kinds[ERRAND_KINDS] = {
    [ERRAND_EXPORT_INQUIRIES] = { "INQUIRY_EXPORT", "INQUIRIES", "action-inquiries",
                                  "Action inquiries" },
    [ERRAND_EXPORT_ACTIONS] = { "ACTION_EXPORT", "ACTIONS", "actions", "Actions" },
    [ERRAND_EXPORT_POSTBACKS] = { "POSTBACK_EXPORT", "POSTBACKS", "postbacks", "Postbacks" },
    [ERRAND_EXPORT_ATTEMPTS] = { "ATTEMPT_EXPORT", "ATTEMPTS", "attempts", "Attempts" },
    [ERRAND_EXPORT_ACTION_UPDATES] = { "ACTION_UPDATE_EXPORT", "ACTION_UPDATES", "action-updates",
                                       "Action updates" },
    [ERRAND_EXPORT_AUDIT] = { "AUDIT_EXPORT", "AUDIT", "audit-log", "Audit log" },
    [ERRAND_IMPORT_INQUIRIES] = { "INQUIRY_IMPORT", NULL, "inquiry-problems",
                                  "Import of inquiries" },
    [ERRAND_IMPORT_DECISIONS] = { "DECISION_IMPORT", NULL, "decision-problems",
                                  "Import of decisions" },
    [ERRAND_IMPORT_CHANGES] = { "ACTION_CHANGE_IMPORT", NULL, "action-problems",
                                "Import of changes of actions" },
    [ERRAND_ERASURE] = { "ERASURE", NULL, "erasure", "Erasure" },
    [ERRAND_POSTBACKS] = { "POSTBACK_CHANGE", NULL, "postbacks", "Many postbacks" },
};

const char *errand_state_name(enum errand_state state)
{
    return state_names[state];
}

bool errand_state_named(const char *name, enum errand_state *state)
{
    for (int i = ERRAND_QUEUED; i < ERRAND_STATES; i++) {
        if (text_same(name, state_names[i])) {
            *state = (enum errand_state)i;
            return true;
        }
    }
    return false;
}

bool errand_may_become(enum errand_state from, enum errand_state to)
{
    return may_become[from][to];
}

bool errand_has_ended(enum errand_state state)
{
    for (int i = 0; i < ERRAND_STATES; i++) {
        if (may_become[state][i])
            return false;
    }
    return true;
}

const char *errand_kind_name(enum errand_kind kind)
{
    return kinds[kind].name;
}

bool errand_is_import(enum errand_kind kind)
{
    return kinds[kind].records == NULL;
}

bool errand_records_named(const char *name, enum errand_kind *kind)
{
    for (int i = 0; i < ERRAND_KINDS; i++) {
        if (kinds[i].records != NULL && text_same(name, kinds[i].records)) {
            *kind = (enum errand_kind)i;
            return true;
        }
    }
    return false;
}

const char *errand_file(enum errand_kind kind)
{
    return kinds[kind].file;
}

const char *errand_title(enum errand_kind kind)
{
    return kinds[kind].title;
}
