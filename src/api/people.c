/* people.c — the routes by which an account's ADMINs see to its users, invitations, sessions and
 * tokens, and all of it read its audit log; and those of the operator, for any account.
 *
 * No token comes in here but the operator's (SCOPE_ADMIN): whoever got hold of one cannot make
 * another, nor let somebody in.
 */
#include "api/people.h"

#include "api/body.h"
#include "api/cursor_rows.h"
#include "api/operator.h"
#include "store/accounts.h"

static void list_audit(struct call *call, void *context);

#define PARTNER  "/Mediapartners/{SID}"
#define BRAND    "/Advertisers/{SID}"
#define OPERATOR "/Operator/Accounts/{Account}"
/* A session is not counted. */
#define ADMINS(kind) .who = (kind), .scopes = SCOPE_ADMIN, .counted = (kind) == ACCOUNT_OPERATOR
#define READS(kind)  .who = (kind), .scopes = SCOPE_API | SCOPE_READ, .counted = true

/* Of all three. */
#define PEOPLE(prefix, kind)                                                                       \
    { "POST", prefix "/Users/{Id}/PasswordLink", people_link_password, ADMINS(kind) },             \
        { "GET", prefix "/Invitations", people_list_invitations, ADMINS(kind) },                   \
        { "POST", prefix "/Invitations", people_invite, ADMINS(kind) },                            \
        { "DELETE", prefix "/Invitations/{Id}", people_take_back_invitation, ADMINS(kind) },       \
        { "POST", prefix "/Invitations/{Id}/Resend", people_invite_again, ADMINS(kind) },          \
        { "GET", prefix "/Sessions", people_list_sessions, ADMINS(kind) },                         \
    {                                                                                              \
        "DELETE", prefix "/Sessions/{Id}", people_end_session, ADMINS(kind)                        \
    }

/* The operator's own are in operator.c. */
#define OWN(prefix, kind)                                                                          \
    { "GET", prefix "/Users", operator_list_users, ADMINS(kind) },                                 \
        { "PUT", prefix "/Users/{Id}", operator_change_user, ADMINS(kind) },                       \
        { "GET", prefix "/Tokens", operator_list_tokens, ADMINS(kind) },                           \
        { "POST", prefix "/Tokens", operator_add_token, ADMINS(kind) },                            \
        { "DELETE", prefix "/Tokens/{Id}", operator_revoke_token, ADMINS(kind) },                  \
    {                                                                                              \
        "GET", prefix "/Audit", list_audit, READS(kind), .reads_query = true                       \
    }

const struct route people_routes[] = {
    PEOPLE(PARTNER, ACCOUNT_PARTNER),   PEOPLE(BRAND, ACCOUNT_BRAND),
    PEOPLE(OPERATOR, ACCOUNT_OPERATOR), OWN(PARTNER, ACCOUNT_PARTNER),
    OWN(BRAND, ACCOUNT_BRAND),
};
const size_t people_route_count = sizeof(people_routes) / sizeof(people_routes[0]);

struct audit_work {
    struct api_job api;
    struct cursor cursor;
};

static bool run_audit(struct api_job *job, struct db *db)
{
    const struct audit_work *work = (struct audit_work *)job;
    job->shown = audit_list(db, job->call->caller.account, work->cursor.at, work->cursor.limit);
    return true;
}

static void list_audit(struct call *call, void *context)
{
    static const char *const names[] = { "Before", "PageSize", NULL };
    struct audit_work *work = api_job_new(sizeof(*work), call, context, run_audit, NULL, NULL);

    call_query_only(call, names, &work->api.problems);
    cursor_read(call, &work->cursor, "Before", &work->api.problems);
    cursor_rows_answer(&work->api, &work->cursor, "Entries");
}
