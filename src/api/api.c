/* api.c — the resources' routes joined, and what they all say in the same words. */
#include "api/api.h"

#include "base/fail.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route *api_routes(size_t *count)
{
    const struct {
        const struct route *routes;
        size_t count;
    } resources[] = {
        { inquiry_routes, inquiry_route_count },
        { attachment_routes, attachment_route_count },
        { counts_routes, counts_route_count },
        { event_list_routes, event_list_route_count },
        { import_routes, import_route_count },
        { action_routes, action_route_count },
        { export_routes, export_route_count },
        { erasure_routes, erasure_route_count },
        { errand_routes, errand_route_count },
        { action_change_routes, action_change_route_count },
        { action_update_routes, action_update_route_count },
        { terms_routes, terms_route_count },
        { conversion_routes, conversion_route_count },
        { notification_routes, notification_route_count },
        { postback_routes, postback_route_count },
        { postback_change_routes, postback_change_route_count },
        { replay_routes, replay_route_count },
        { event_routes, event_route_count },
        { track_routes, track_route_count },
        { catalog_routes, catalog_route_count },
        { operator_routes, operator_route_count },
        { account_routes, account_route_count },
        { status_routes, status_route_count },
        { changes_routes, changes_route_count },
        { series_routes, series_route_count },
        { operator_status_routes, operator_status_route_count },
        { node_routes, node_route_count },
        { key_change_routes, key_change_route_count },
        { maintenance_routes, maintenance_route_count },
        { support_routes, support_route_count },
        { page_routes, page_route_count },
        { session_routes, session_route_count },
        { look_routes, look_route_count },
        { portal_routes, portal_route_count },
        { sign_in_code_routes, sign_in_code_route_count },
        { second_factor_routes, second_factor_route_count },
        { second_factor_admin_routes, second_factor_admin_route_count },
        { view_routes, view_route_count },
        { link_routes, link_route_count },
        { profile_routes, profile_route_count },
        { people_routes, people_route_count },
    };
    enum { RESOURCES = sizeof(resources) / sizeof(resources[0]) };
    size_t total = 0;
    for (size_t i = 0; i < RESOURCES; i++)
        total += resources[i].count;
    struct route *all = must_alloc(total * sizeof(*all)), *at = all;
    for (size_t i = 0; i < RESOURCES; i++) {
        memcpy(at, resources[i].routes, resources[i].count * sizeof(*at));
        at += resources[i].count;
    }
    *count = total;
    return all;
}

void api_base(const struct call *call, char out[API_BASE_TEXT])
{
    int first = (int)strcspn(call->route->pattern + 1, "/") + 1;
    snprintf(out, API_BASE_TEXT, "%.*s/%s", first, call->route->pattern, call->caller.sid);
}

void api_challenge(struct call *call)
{
    if (call_header(call, "Sec-Fetch-Mode") == NULL)
        call_add_header(call, "WWW-Authenticate", "Basic realm=\"postbackd\", charset=\"UTF-8\"");
}

bool api_is_secure(const struct api *api)
{
    return api->origin != NULL && text_starts(api->origin, "https:");
}
