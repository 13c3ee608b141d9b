/* export_kinds.c — the table of what can be exported.
 *
 * Rows are found by where the last ones ended (`place`: ids under it are still to come), newest
 * first; nothing that came after the export began is in it.  A brand's inquiries go campaign by
 * campaign, since that is the order of their index.
 */
#include "api/export_kinds.h"

#include "api/actions.h"
#include "api/inquiries.h"
#include "api/inquiry_columns.h"
#include "api/postbacks.h"
#include "base/id.h"
#include "model/date.h"
#include "store/accounts.h"
#include "store/actions.h"

#include <string.h>

enum { INQUIRIES = 100, ACTIONS = 100, POSTBACKS = 100, POSTBACKS_TRIED = 40, ENTRIES = 100 };

static int64_t id_of(const json_t *row)
{
    const char *text = json_string_value(json_object_get(row, "Id"));
    int64_t id = 0;
    return text != NULL && id_parse(text, &id) ? id : 0;
}

static int64_t part(int64_t done, int64_t all)
{
    int64_t percent = all > 0 ? (int64_t)((double)done * 100 / (double)all) : 0;
    return percent < 0 ? 0 : percent < 99 ? percent : 99;
}

static size_t copy_members(const char *const *members, struct export_column *out)
{
    size_t count = 0;
    for (; members[count] != NULL; count++)
        out[count] = (struct export_column){ members[count], members[count] };
    return count;
}

/* The rows of the ids, which are freed; a row that is gone meanwhile is left out. */
static void take_shown(struct export_rows *rows, struct id_list *ids,
                       json_t *(*find)(struct db *db, const struct caller *caller, int64_t id))
{
    struct errand_made *made = rows->made;
    int64_t id;
    while (id_list_next(ids, &id)) {
        json_t *shown = find(rows->db, &rows->call->caller, id);
        if (shown != NULL)
            json_array_append_new(rows->rows, shown);
    }
    id_list_free(ids);
    made->percent = part(made->records + (int64_t)json_array_size(rows->rows), made->total);
}

/* ---- inquiries ---- */

static void inquiries_check(const struct call *call, struct problems *problems)
{
    struct inquiry_filter filter;
    inquiry_filter_read(call, false, &filter, problems);
}

static void inquiries_read(struct export_rows *rows)
{
    struct errand_made *made = rows->made;
    const struct caller *caller = &rows->call->caller;
    struct problems none = { 0 };
    struct inquiry_filter filter;
    struct id_list ids = { 0 };
    struct inquiry_place place = { made->first, made->place, made->phase };
    inquiry_filter_read(rows->call, false, &filter, &none);
    problems_free(&none);
    if (made->total < 0)
        made->total = inquiry_count(rows->db, caller, &filter);
    rows->end = inquiry_ids_next(rows->db, caller, &filter, &place, INQUIRIES, &ids) < INQUIRIES;
    made->first = place.campaign;
    made->place = place.id;
    made->phase = place.until;
    take_shown(rows, &ids, inquiry_shown);
}

static size_t inquiries_columns(enum account_kind kind,
                                struct export_column out[EXPORT_COLUMNS_MAX])
{
    size_t count;
    const struct inquiry_column *columns = inquiry_columns(kind, &count);
    for (size_t i = 0; i < count; i++)
        out[i] = (struct export_column){ columns[i].title, columns[i].member };
    return count;
}

/* ---- actions ---- */

static void actions_check(const struct call *call, struct problems *problems)
{
    struct action_filter filter = { 0 };
    action_filter_read(call, false, &filter, problems);
}

static void actions_read(struct export_rows *rows)
{
    struct errand_made *made = rows->made;
    const struct caller *caller = &rows->call->caller;
    struct problems none = { 0 };
    struct action_filter filter = { 0 };
    struct id_list ids = { 0 };
    action_filter_read(rows->call, false, &filter, &none);
    problems_free(&none);
    if (made->total < 0)
        made->total = action_count(rows->db, caller, &filter);
    rows->end = action_ids_next(rows->db, caller, &filter, &made->place, ACTIONS, &ids) < ACTIONS;
    take_shown(rows, &ids, action_find);
}

static size_t actions_columns(enum account_kind kind, struct export_column out[EXPORT_COLUMNS_MAX])
{
    static const char *const members[] = { "Id",
                                           "CampaignId",
                                           "CampaignName",
                                           "ActionTrackerId",
                                           "ActionTrackerName",
                                           "MediaPartnerId",
                                           "MediaPartnerName",
                                           "ActionType",
                                           "ReferringType",
                                           "Oid",
                                           "State",
                                           "StatusDetail",
                                           "Payout",
                                           "DeltaPayout",
                                           "IntendedPayout",
                                           "Amount",
                                           "DeltaAmount",
                                           "IntendedAmount",
                                           "Currency",
                                           "EventDate",
                                           "CreationDate",
                                           "LastUpdatedDate",
                                           "LockingDate",
                                           "ClearingDate",
                                           "ClearedDate",
                                           "CustomerId",
                                           "PromoCode",
                                           "SubId1",
                                           "SubId2",
                                           "SubId3",
                                           "SharedId",
                                           "Items",
                                           NULL };
    (void)kind;
    return copy_members(members, out);
}

/* ---- their updates ---- */

static void updates_check(const struct call *call, struct problems *problems)
{
    struct action_update_filter filter = { 0 };
    action_update_filter_read(call, false, &filter, problems);
}

static void updates_read(struct export_rows *rows)
{
    struct errand_made *made = rows->made;
    const struct caller *caller = &rows->call->caller;
    struct problems none = { 0 };
    struct action_update_filter filter = { 0 };
    struct id_list ids = { 0 };
    action_update_filter_read(rows->call, false, &filter, &none);
    problems_free(&none);
    if (made->total < 0)
        made->total = action_update_count(rows->db, caller, &filter);
    rows->end =
        action_update_ids_next(rows->db, caller, &filter, &made->place, ACTIONS, &ids) < ACTIONS;
    take_shown(rows, &ids, action_update_find);
}

static size_t updates_columns(enum account_kind kind, struct export_column out[EXPORT_COLUMNS_MAX])
{
    static const char *const members[] = {
        "Id",          "ActionId",    "CampaignId",  "ActionTrackerId", "MediaPartnerId", "State",
        "StateDetail", "Disposition", "DeltaPayout", "DeltaAmount",     "Currency",       "Sku",
        "Quantity",    "UpdateDate",  "LockingDate", "ClearingDate",    "ActionDate",     "Oid",
        "CustomerId",  "SharedId",    NULL
    };
    (void)kind;
    return copy_members(members, out);
}

/* ---- postbacks and attempts ---- */

static void postbacks_check(const struct call *call, struct problems *problems)
{
    struct postback_filter filter = { 0 };
    postback_filter_read(call, false, &filter, problems);
}

/* The next page of them.  Ids are in order of time, so the place says how far it is. */
static void postbacks_next(struct export_rows *rows, int limit)
{
    struct errand_made *made = rows->made;
    struct problems none = { 0 };
    struct postback_filter filter = { 0 };
    int64_t next, oldest = postback_oldest(rows->db);
    postback_filter_read(rows->call, false, &filter, &none);
    problems_free(&none);
    if (made->place == 0)
        made->place = made->first = id_first_at(db_now(rows->db));
    filter.before = made->place;
    filter.limit = limit;
    json_decref(rows->rows);
    rows->rows = postback_list(rows->db, rows->call->caller.account, &filter, &next);
    rows->end = next == 0;
    if (next != 0)
        made->place = next;
    if (filter.until != 0 && id_first_at(filter.until) < made->first)
        made->first = id_first_at(filter.until);
    if (filter.from != 0 && id_first_at(filter.from) > oldest)
        oldest = id_first_at(filter.from);
    made->percent = part(made->first - made->place, made->first - oldest);
}

static void postbacks_read(struct export_rows *rows)
{
    postbacks_next(rows, POSTBACKS);
}

static size_t postbacks_columns(enum account_kind kind,
                                struct export_column out[EXPORT_COLUMNS_MAX])
{
    static const char *const members[] = { "Id",           "NotificationId", "EventId",
                                           "EventType",    "InquiryId",      "State",
                                           "Attempts",     "CreationDate",   "DueDate",
                                           "FinishedDate", "LastStatus",     "LastError",
                                           "ResentFrom",   "ReplayId",       NULL };
    (void)kind;
    return copy_members(members, out);
}

static void attempts_read(struct export_rows *rows)
{
    static const char *const of[] = { "NotificationId", "EventId", "EventType" };
    size_t i, j;
    json_t *postback, *attempt;
    postbacks_next(rows, POSTBACKS_TRIED);
    json_t *postbacks = rows->rows;
    rows->rows = json_array();
    json_array_foreach(postbacks, i, postback)
    {
        json_t *attempts = attempt_list(rows->db, rows->call->caller.account, id_of(postback));
        json_array_foreach(attempts, j, attempt)
        {
            json_object_set(attempt, "PostbackId", json_object_get(postback, "Id"));
            for (size_t k = 0; k < sizeof(of) / sizeof(of[0]); k++)
                json_object_set(attempt, of[k], json_object_get(postback, of[k]));
            json_array_append(rows->rows, attempt);
        }
        json_decref(attempts);
    }
    json_decref(postbacks);
}

static size_t attempts_columns(enum account_kind kind, struct export_column out[EXPORT_COLUMNS_MAX])
{
    static const char *const members[] = { "PostbackId", "NotificationId", "EventId",
                                           "EventType",  "Number",         "StartDate",
                                           "DurationMs", "Verdict",        "Error",
                                           "Detail",     "Status",         "AnswerBytes",
                                           NULL };
    (void)kind;
    return copy_members(members, out);
}

/* ---- the audit log ---- */

static void audit_check(const struct call *call, struct problems *problems)
{
    static const char *const names[] = { "AccountSid", NULL }, *const none[] = { NULL };
    call_query_only(call, call->caller.kind == ACCOUNT_OPERATOR ? names : none, problems);
}

/* Whose changes: the operator sees everybody's (0), or one account's.  -1: nobody's. */
static int64_t audited(const struct export_rows *rows)
{
    const char *sid = call_query(rows->call, "AccountSid");
    struct account account = { 0 };
    if (rows->call->caller.kind != ACCOUNT_OPERATOR)
        return rows->call->caller.account;
    if (sid[0] == '\0')
        return 0;
    int64_t id = account_find_sid(rows->db, sid, &account) ? account.id : -1;
    account_clear(&account);
    return id;
}

static void audit_read(struct export_rows *rows)
{
    struct errand_made *made = rows->made;
    json_decref(rows->rows);
    rows->rows = audit_list(rows->db, audited(rows), made->place, ENTRIES);
    size_t count = json_array_size(rows->rows);
    rows->end = count < ENTRIES;
    if (count == 0)
        return;
    if (made->first == 0)
        made->first = id_of(json_array_get(rows->rows, 0));
    made->place = id_of(json_array_get(rows->rows, count - 1));
    made->percent = part(made->first - made->place, made->first);
}

static size_t audit_columns(enum account_kind kind, struct export_column out[EXPORT_COLUMNS_MAX])
{
    static const char *const members[] = { "Id",     "Date",   "AccountSid", "Actor", "Address",
                                           "Action", "Object", "Detail",     NULL };
    (void)kind;
    return copy_members(members, out);
}

/* ---- the table ---- */

enum { ALL = ACCOUNT_PARTNER | ACCOUNT_BRAND | ACCOUNT_OPERATOR };

static const struct export_kind kinds[ERRAND_KINDS] = {
    [ERRAND_EXPORT_INQUIRIES] = { ACCOUNT_PARTNER | ACCOUNT_BRAND, inquiries_check, inquiries_read,
                                  inquiries_columns },
    [ERRAND_EXPORT_ACTIONS] = { ACCOUNT_PARTNER | ACCOUNT_BRAND, actions_check, actions_read,
                                actions_columns },
    [ERRAND_EXPORT_ACTION_UPDATES] = { ACCOUNT_PARTNER | ACCOUNT_BRAND, updates_check, updates_read,
                                       updates_columns },
    [ERRAND_EXPORT_POSTBACKS] = { ALL, postbacks_check, postbacks_read, postbacks_columns },
    [ERRAND_EXPORT_ATTEMPTS] = { ALL, postbacks_check, attempts_read, attempts_columns },
    [ERRAND_EXPORT_AUDIT] = { ALL, audit_check, audit_read, audit_columns },
};

const struct export_kind *export_kind_of(enum errand_kind kind)
{
    return kinds[kind].read != NULL ? &kinds[kind] : NULL;
}
