/* support.c — the tables support_request and support_message.
 *
 * Requests are made by people and capped, so a list may sort what it counts.
 */
#include "store/support.h"

#include "base/fail.h"
#include "store/notifications.h"
#include "store/where.h"

#include <stdlib.h>

static bool has_room(struct job *job, struct db *db, int64_t account)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM support_request "
                                        "WHERE account = ? AND state = 1");

    db_bind_int(count, 1, account);
    if (db_number(count, 0) < SUPPORT_OPEN_MOST)
        return true;
    error_set(&job->error, ERROR_CONFLICT,
              "The account has %d open support requests, which is the most there may be: write to "
              "one of them, or wait until some are answered.",
              SUPPORT_OPEN_MOST);
    return false;
}

static void message_insert(struct db *db, int64_t request, int64_t account, const char *author,
                           const char *text)
{
    struct stmt *add = db_prepare(db, "INSERT INTO support_message (request, account, author, "
                                      "text, created_at) VALUES (?, ?, ?, ?, ?)");

    db_bind_int(add, 1, request);
    db_bind_int(add, 2, account);
    db_bind_text(add, 3, author);
    db_bind_text(add, 4, text);
    db_bind_int(add, 5, db_now(db));
    db_run(db, add);
}

bool support_add(struct job *job, struct db *db, struct support_request *request,
                 const char *author, const char *text, struct problems *problems)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO support_request (account, notification, kind, state, subject, "
                       "asked_at, created_at, changed_at) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?5, ?5) "
                       "RETURNING id");

    if (request->notification != 0 &&
        !notification_exists(db, request->account, request->notification)) {
        problems_add(problems, "NotificationId", "not an event notification of yours");
        error_set(&job->error, ERROR_INVALID, "The request is not valid.");
        return false;
    }
    if (!has_room(job, db, request->account))
        return false;
    db_bind_int(add, 1, request->account);
    db_bind_opt(add, 2, request->notification, 0);
    db_bind_int(add, 3, (int64_t)request->kind);
    db_bind_text(add, 4, request->subject);
    db_bind_int(add, 5, db_now(db));
    request->id = db_insert(add);
    message_insert(db, request->id, request->account, author, text);
    return true;
}

/* ---- reading ---- */

#define SQL_SELECT                                                                                 \
    "SELECT r.id, r.account, a.sid, a.name, r.notification, r.kind, r.state, r.subject, "          \
    "r.asked_at, r.created_at, r.changed_at, "                                                     \
    "(SELECT count(*) FROM support_message m WHERE m.request = r.id) "                             \
    "FROM support_request r JOIN account a ON a.id = r.account "

static void row_read(struct support_request *out, struct stmt *row)
{
    *out = (struct support_request){
        .id = db_int(row, 0),
        .account = db_int(row, 1),
        .account_sid = db_copy(row, 2),
        .account_name = db_copy(row, 3),
        .notification = db_opt(row, 4, 0),
        .kind = (enum support_kind)db_int(row, 5),
        .state = (enum support_state)db_int(row, 6),
        .subject = db_copy(row, 7),
        .asked_at = db_int(row, 8),
        .created_at = db_int(row, 9),
        .changed_at = db_int(row, 10),
        .message_count = db_int(row, 11),
    };
}

static void messages_load(struct db *db, struct support_request *request)
{
    struct stmt *list = db_prepare(db, "SELECT account, author, text, created_at "
                                       "FROM support_message WHERE request = ? ORDER BY id");
    int64_t count = 0;

    request->messages =
        must_alloc((size_t)(request->message_count + 1) * sizeof(*request->messages));
    db_bind_int(list, 1, request->id);
    while (count < request->message_count && db_step(list) == DB_ROW)
        request->messages[count++] =
            (struct support_message){ .from_operator = db_int(list, 0) != request->account,
                                      .author = db_copy(list, 1),
                                      .text = db_copy(list, 2),
                                      .at = db_int(list, 3) };
    db_finish(list);
    request->message_count = count;
}

bool support_find(struct db *db, int64_t account, int64_t id, struct support_request *out)
{
    struct stmt *find = db_prepare(db, SQL_SELECT "WHERE r.id = ?1 AND (?2 = 0 OR r.account = ?2)");
    bool found;

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    found = db_step(find) == DB_ROW;
    if (found)
        row_read(out, find);
    db_finish(find);
    if (found)
        messages_load(db, out);
    return found;
}

bool support_write(struct job *job, struct db *db, struct support_request *request, int64_t by,
                   const char *author, const char *text, enum support_state state)
{
    struct stmt *change =
        db_prepare(db, "UPDATE support_request SET state = ?, asked_at = ?, changed_at = ? "
                       "WHERE id = ? AND account = ? AND state = ?");
    enum support_state seen = request->state;
    bool opens = state == SUPPORT_OPEN && request->state != SUPPORT_OPEN;

    if (opens && by == request->account && !has_room(job, db, request->account))
        return false;
    if (!support_step(request, state, db_now(db), &job->error))
        return false;
    db_bind_int(change, 1, (int64_t)request->state);
    db_bind_int(change, 2, request->asked_at);
    db_bind_int(change, 3, request->changed_at);
    db_bind_int(change, 4, request->id);
    db_bind_int(change, 5, request->account);
    db_bind_int(change, 6, (int64_t)seen);
    db_run(db, change);
    if (db_changes(db) != 1) {
        error_set(&job->error, ERROR_CONFLICT,
                  "The request was answered or closed just now; look at it again.");
        return false;
    }
    message_insert(db, request->id, by, author, text);
    return true;
}

/* ---- lists ---- */

#define SQL_FILTER "WHERE (?1 = 0 OR r.account = ?1) AND (?2 = 0 OR r.state = ?2) "
#define SQL_IDS    "SELECT r.id FROM support_request r " SQL_FILTER
#define SQL_QUEUE                                                                                  \
    SQL_IDS "ORDER BY r.state <> 1, CASE WHEN r.state = 1 THEN r.asked_at END, r.id DESC "         \
            "LIMIT ?3 OFFSET ?4"
#define SQL_OWN SQL_IDS "ORDER BY r.id DESC LIMIT ?3 OFFSET ?4"

void support_ids(struct db *db, const struct support_filter *filter, bool for_operator,
                 struct id_list *ids, int64_t *total)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM support_request r " SQL_FILTER);
    struct stmt *list = db_prepare(db, for_operator ? SQL_QUEUE : SQL_OWN);

    db_bind_int(count, 1, filter->account);
    db_bind_int(count, 2, (int64_t)filter->state);
    *total = db_number(count, 0);
    db_bind_int(list, 1, filter->account);
    db_bind_int(list, 2, (int64_t)filter->state);
    db_bind_int(list, 3, filter->page_size);
    db_bind_int(list, 4, page_offset(filter->page, filter->page_size));
    while (db_step(list) == DB_ROW)
        id_list_add(ids, db_int(list, 0));
    db_finish(list);
}

json_t *support_listed(struct db *db, int64_t id, bool for_operator)
{
    struct stmt *find = db_prepare(db, SQL_SELECT "WHERE r.id = ?");
    struct support_request request;
    json_t *shown = NULL;

    db_bind_int(find, 1, id);
    if (db_step(find) == DB_ROW) {
        row_read(&request, find);
        shown = support_show(&request, for_operator);
        support_free(&request);
    }
    db_finish(find);
    return shown;
}
