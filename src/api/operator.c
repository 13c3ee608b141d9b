/* operator.c — the operator's routes.
 *
 * Who runs the server makes accounts here, with their tokens and users, their campaigns and their
 * custom headers.  Paths name an account {Account}, not {SID}: {SID} is always the caller's own.
 */
#include "api/operator.h"

#define CHANGES .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API, .counted = true
/* Users and tokens. */
#define ADMINS .who = ACCOUNT_OPERATOR, .scopes = SCOPE_ADMIN, .counted = true
#define READS  .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API | SCOPE_READ, .counted = true

const struct route operator_routes[] = {
    { "POST", "/Operator/Accounts", operator_add_account, CHANGES },
    { "GET", "/Operator/Accounts", operator_list_accounts, READS, .reads_query = true },
    { "GET", "/Operator/Accounts/{Account}", operator_show_account, READS },
    { "PUT", "/Operator/Accounts/{Account}", operator_change_account, CHANGES },
    { "POST", "/Operator/Accounts/{Account}/Tokens", operator_add_token, ADMINS },
    { "GET", "/Operator/Accounts/{Account}/Tokens", operator_list_tokens, READS },
    { "DELETE", "/Operator/Accounts/{Account}/Tokens/{Id}", operator_revoke_token, ADMINS },
    { "POST", "/Operator/Accounts/{Account}/Users", operator_add_user, ADMINS },
    { "GET", "/Operator/Accounts/{Account}/Users", operator_list_users, READS },
    { "PUT", "/Operator/Accounts/{Account}/Users/{Id}", operator_change_user, ADMINS },
    { "GET", "/Operator/Accounts/{Account}/DataPoints", operator_show_points, READS },
    { "PUT", "/Operator/Accounts/{Account}/DataPoints", operator_set_points, CHANGES },
    { "POST", "/Operator/Campaigns", operator_add_campaign, CHANGES },
    { "GET", "/Operator/Campaigns", operator_list_campaigns, READS, .reads_query = true },
    { "GET", "/Operator/Campaigns/{Id}", operator_show_campaign, READS },
    { "POST", "/Operator/Campaigns/{Id}/Trackers", operator_add_tracker, CHANGES },
    { "GET", "/Operator/Campaigns/{Id}/Trackers", operator_list_trackers, READS },
    { "POST", "/Operator/Campaigns/{Id}/Members", operator_add_member, CHANGES },
    { "GET", "/Operator/Campaigns/{Id}/Members", operator_list_members, READS,
      .reads_query = true },
    { "DELETE", "/Operator/Campaigns/{Id}/Members/{Account}", operator_remove_member, CHANGES },
    { "POST", "/Operator/Campaigns/{Id}/TrackingTokens", operator_add_tracking_token, CHANGES },
    { "GET", "/Operator/Campaigns/{Id}/TrackingTokens", operator_list_tracking_tokens, READS },
    { "DELETE", "/Operator/Campaigns/{Id}/TrackingTokens/{TokenId}", operator_revoke_tracking_token,
      CHANGES },
    { "POST", "/Operator/EventTypes", operator_add_event_type, CHANGES, .body_max = 512 * 1024,
      .current = true },
    { "GET", "/Operator/EventTypes", operator_list_event_types, READS, .reads_query = true },
    { "GET", "/Operator/EventTypes/{Type}", operator_show_event_type, READS },
    { "PUT", "/Operator/EventTypes/{Type}", operator_change_event_type, CHANGES,
      .body_max = 512 * 1024, .current = true },
    { "DELETE", "/Operator/EventTypes/{Type}", operator_delete_event_type, CHANGES,
      .current = true },
    { "GET", "/Operator/Notifications", operator_list_notifications, READS, .reads_query = true },
    { "PUT", "/Operator/Notifications/{Id}/Headers", operator_set_headers, CHANGES,
      .body_max = 256 * 1024 },
    { "POST", "/Operator/Notifications/{Id}/Agree", operator_agree_credentials, CHANGES },
    { "PUT", "/Operator/Notifications/{Id}/Tls", operator_set_tls, CHANGES,
      .body_max = 256 * 1024 },
    { "GET", "/Operator/Notifications/{Id}/Tls", operator_show_tls, READS },
    { "DELETE", "/Operator/Notifications/{Id}/Tls", operator_remove_tls, CHANGES },
    { "GET", "/Operator/Audit", operator_list_audit, READS, .reads_query = true },
};
const size_t operator_route_count = sizeof(operator_routes) / sizeof(operator_routes[0]);
