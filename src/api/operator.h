/* operator.h — the operator's handlers, by the file that holds them; operator.c has their routes.
 */
#ifndef POSTBACKD_OPERATOR_H
#define POSTBACKD_OPERATOR_H

#include "api/api.h"
#include "model/account.h"

/* operator_accounts.c */
void operator_add_account(struct call *call, void *context);
void operator_list_accounts(struct call *call, void *context);
void operator_show_account(struct call *call, void *context);
void operator_change_account(struct call *call, void *context);
/* Finds the account of a path; false with ERROR_NOT_FOUND.  The caller clears it. */
bool operator_account(struct api_job *job, struct db *db, const char *sid, struct account *out);
/* The account that the query's AccountSid (or so) names: its id, 0 when not asked for.  False with
 * a problem when there is none of this kind (0: any). */
bool operator_filter(struct api_job *job, struct db *db, const char *query, unsigned kinds,
                     int64_t *id);

/* operator_people.c */
void operator_add_token(struct call *call, void *context);
void operator_list_tokens(struct call *call, void *context);
void operator_revoke_token(struct call *call, void *context);
void operator_list_users(struct call *call, void *context);
/* An audit row about something of the path's account, such as its "Tokens"; steals the detail. */
void operator_audit(struct api_job *job, struct db *db, const char *action, const char *kind,
                    int64_t id, json_t *detail);

/* Where an account's people stand, as the call was made: "/Operator/Accounts/<SID>", or its own
 * "/Mediapartners/<SID>".  The handlers of people and tokens are of both. */
enum { PEOPLE_BASE_TEXT = 96 };
void people_base(const struct call *call, char out[PEOPLE_BASE_TEXT]);

/* operator_users.c */
void operator_add_user(struct call *call, void *context);
void operator_change_user(struct call *call, void *context);

/* data_points.c */
void operator_show_points(struct call *call, void *context);
void operator_set_points(struct call *call, void *context);

/* operator_campaigns.c */
void operator_add_campaign(struct call *call, void *context);
void operator_list_campaigns(struct call *call, void *context);
void operator_show_campaign(struct call *call, void *context);
void operator_add_tracker(struct call *call, void *context);
void operator_list_trackers(struct call *call, void *context);
void operator_add_member(struct call *call, void *context);
void operator_list_members(struct call *call, void *context);
void operator_remove_member(struct call *call, void *context);

/* tracking_tokens.c */
void operator_add_tracking_token(struct call *call, void *context);
void operator_list_tracking_tokens(struct call *call, void *context);
void operator_revoke_tracking_token(struct call *call, void *context);

/* operator_event_types.c */
void operator_add_event_type(struct call *call, void *context);
void operator_list_event_types(struct call *call, void *context);
void operator_show_event_type(struct call *call, void *context);
void operator_change_event_type(struct call *call, void *context);
void operator_delete_event_type(struct call *call, void *context);

/* operator_notifications.c */
void operator_list_notifications(struct call *call, void *context);
void operator_list_audit(struct call *call, void *context);

/* operator_credentials.c */
void operator_set_headers(struct call *call, void *context);
void operator_agree_credentials(struct call *call, void *context);

/* operator_tls.c */
void operator_set_tls(struct call *call, void *context);
void operator_show_tls(struct call *call, void *context);
void operator_remove_tls(struct call *call, void *context);

#endif
