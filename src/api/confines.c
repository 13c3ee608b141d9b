/* confines.c — a table of patterns for each kind of confined caller. */
#include "api/confines.h"

#include "base/text.h"
#include "server/server.h"

#include <string.h>

/* Of patterns that begin so; with `whole`, only of that one. */
struct reach {
    const char *pattern;
    bool whole;
};

static const struct reach enrols[] = {
    { "/Session", true },
    { "/Session/SecondFactor", false },
};
/* Everything of the account that a page of its own reads; not what is a user's own. */
static const struct reach looks[] = {
    { "/Mediapartners/{SID}/", false },
    { "/Advertisers/{SID}/", false },
    { "/EventCatalog", false },
};
static const struct reach portal[] = {
    { "/Mediapartners/{SID}/EventNotifications", false },
    { "/Advertisers/{SID}/EventNotifications", false },
    { "/Mediapartners/{SID}/Postbacks", false },
    { "/Advertisers/{SID}/Postbacks", false },
    { "/Mediapartners/{SID}/Series", true },
    { "/Advertisers/{SID}/Series", true },
    { "/Mediapartners/{SID}/Changes", true },
    { "/Advertisers/{SID}/Changes", true },
    { "/EventCatalog", false },
};

#define REACHES(table) (table), sizeof(table) / sizeof((table)[0])
static const struct {
    const struct reach *reaches;
    size_t count;
    bool reads; /* nothing else */
    const char *refusal;
} confines[] = {
    [CALLER_ENROLS] = { REACHES(enrols), false,
                        "This account asks each user for a second factor: set yours up first." },
    [CALLER_LOOKS] = { REACHES(looks), true,
                       "Whoever looks into an account reads it, and changes nothing." },
    [CALLER_PORTAL] = { REACHES(portal), false,
                        "A portal session is for event notifications and postbacks alone." },
};

/* "…/Postbacks" begins "…/Postbacks/{Id}", and not "…/PostbacksElse". */
static bool reach_has(const struct reach *reach, const char *pattern)
{
    size_t len = strlen(reach->pattern);
    if (reach->whole)
        return strcmp(pattern, reach->pattern) == 0;
    return text_starts(pattern, reach->pattern) &&
           (reach->pattern[len - 1] == '/' || pattern[len] == '\0' || pattern[len] == '/');
}

bool confine_allows(struct call *call)
{
    enum caller_only only = call->caller.only;
    if (only == CALLER_FREE)
        return true;
    bool reads = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    for (size_t i = 0; i < confines[only].count && (reads || !confines[only].reads); i++) {
        if (reach_has(&confines[only].reaches[i], call->route->pattern))
            return true;
    }
    call_refuse(call, 403, NULL, "%s", confines[only].refusal);
    return false;
}
