/* postback_log.c — the log: what became of an account's postbacks, as the API shows it.
 *
 * A list takes ids newest first from a walk and looks at each row until the page is full or enough
 * rows were looked at.  The request of an attempt is not stored: it is built again from the
 * revision that the attempt names, the event, and the time at which the attempt began.
 *
 * One that has just gone straight to a lane has no row: it is shown from its event's (direct.h). An
 * only attempt that delivered a postback stands in the postback's own row.
 *
 * The rule: every row is read under the account that asks.
 */
#include "store/postbacks.h"

#include "base/text.h"
#include "model/date.h"
#include "model/request.h"
#include "model/show.h"
#include "store/direct.h"
#include "store/events.h"
#include "store/notifications.h"
#include "store/postback_walk.h"

#include <inttypes.h>
#include <string.h>

enum {
    PAGE_DEFAULT = 100,
    PAGE_MOST = 1000,
    LOOKED_MOST = 5000, /* rows for one page: about 30 ms */
    FAR_PART = 4,       /* a row that is far away takes about four times as long */
};

const char *postback_shown_state(enum postback_state state)
{
    return state == POSTBACK_FRESH ? "DELIVERING" : postback_state_name(state);
}

bool postback_shown_state_named(const char *name, enum postback_state *state)
{
    if (!text_same(name, "DELIVERING"))
        return postback_state_named(name, state);
    *state = POSTBACK_FRESH;
    return true;
}

/* ---- a row ---- */

enum {
    ROW_ID,
    ROW_NOTIFICATION,
    ROW_EVENT,
    ROW_STATE,
    ROW_ATTEMPTS,
    ROW_DUE,
    ROW_FINISHED,
    ROW_STATUS,
    ROW_ERROR,
    ROW_RESENT,
    ROW_REPLAY,
    ROW_TYPE,
    ROW_INQUIRY
};

static struct stmt *find_row(struct db *db, int64_t account, int64_t id)
{
    struct stmt *row = db_prepare(
        db, "SELECT p.id, p.notification, p.event, p.state, p.attempts, p.due_at, p.finished_at, "
            "p.last_status, p.last_error, p.resent, p.replay, e.type, e.inquiry FROM postback p "
            "LEFT JOIN event e ON e.id = p.event WHERE p.id = ? AND p.account = ?");
    db_bind_int(row, 1, id);
    db_bind_int(row, 2, account);
    return row;
}

/* As if it had its row: FRESH, and not tried. */
static struct stmt *find_direct(struct db *db, int64_t account, int64_t id)
{
    struct direct direct;
    bool known = direct_find(db, id, &direct);
    struct stmt *row =
        db_prepare(db, "SELECT CAST(?1 AS bigint), CAST(?2 AS bigint), e.id, 0, 0, CAST(?3 AS "
                       "bigint), NULL, NULL, NULL, NULL, NULL, e.type, e.inquiry "
                       "FROM event e WHERE e.id = ?4 AND e.account = ?5");
    db_bind_int(row, 1, id);
    db_bind_int(row, 2, direct.notification);
    db_bind_int(row, 3, id_time_ms(id));
    db_bind_int(row, 4, known ? direct.event : 0);
    db_bind_int(row, 5, account);
    return row;
}

/* Stands on its row; false: there is none.  Either way the caller finishes *row. */
static bool find_one(struct db *db, int64_t account, int64_t id, struct stmt **row)
{
    *row = find_row(db, account, id);
    if (db_step(*row) == DB_ROW)
        return true;
    db_finish(*row);
    *row = find_direct(db, account, id);
    return db_step(*row) == DB_ROW;
}

static json_t *row_show(struct stmt *row)
{
    json_t *shown = json_object();
    enum postback_state state = (enum postback_state)db_int(row, ROW_STATE);
    const struct event_type *type = catalog_type_numbered((int)db_int(row, ROW_TYPE));
    bool over = state != POSTBACK_FRESH && state != POSTBACK_WAITING;

    show_id(shown, "Id", db_int(row, ROW_ID));
    show_id(shown, "NotificationId", db_int(row, ROW_NOTIFICATION));
    show_id(shown, "EventId", db_int(row, ROW_EVENT));
    show_text(shown, "EventType", type != NULL ? type->name : "");
    show_id(shown, "InquiryId", db_opt(row, ROW_INQUIRY, 0));
    show_text(shown, "State", postback_shown_state(state));
    show_int(shown, "Attempts", db_int(row, ROW_ATTEMPTS));
    show_date(shown, "CreationDate", id_time_ms(db_int(row, ROW_ID)));
    show_date(shown, "DueDate", over ? DATE_NONE : db_int(row, ROW_DUE));
    show_date(shown, "FinishedDate", db_opt(row, ROW_FINISHED, DATE_NONE));
    show_id(shown, "LastStatus", db_opt(row, ROW_STATUS, 0));
    show_text(shown, "LastError", db_text(row, ROW_ERROR));
    show_id(shown, "ResentFrom", db_opt(row, ROW_RESENT, 0));
    show_id(shown, "ReplayId", db_opt(row, ROW_REPLAY, 0));
    return shown;
}

/* ---- the list ---- */

/* As the API names the failure, or as people say it. */
static bool error_matches(const char *asked, const char *reason)
{
    struct buf words = { 0 };
    if (reason[0] == '\0' || strcasestr(reason, asked) != NULL)
        return reason[0] != '\0';
    attempt_reason_words(&words, reason);
    bool found = strcasestr(buf_text(&words), asked) != NULL;
    buf_free(&words);
    return found;
}

static bool status_matches(const struct postback_filter *filter, struct stmt *row)
{
    int64_t status = db_opt(row, ROW_STATUS, 0);
    if (filter->status_from == POSTBACK_NO_ANSWER)
        return status == 0 && db_text(row, ROW_ERROR)[0] != '\0';
    return status >= filter->status_from && status <= filter->status_until;
}

/* Of an event that was sent in, which belongs to no inquiry. */
static bool data_has_order(struct db *db, int64_t account, int64_t event, const char *order)
{
    static const char *const names[] = { "OrderId", "Oid" };
    size_t len;
    bool found = false;
    struct stmt *find = db_prepare(db, "SELECT data FROM event WHERE id = ? AND account = ?");
    db_bind_int(find, 1, event);
    db_bind_int(find, 2, account);
    const char *data = db_step(find) == DB_ROW ? db_bytes(find, 0, &len) : NULL;
    if (data != NULL && memmem(data, len, order, strcspn(order, "\"\\/")) != NULL) {
        json_t *members = json_loadb(data, len, 0, NULL);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !found; i++) {
            const char *value = json_string_value(json_object_get(members, names[i]));
            found = value != NULL && strcmp(value, order) == 0;
        }
        json_decref(members);
    }
    db_finish(find);
    return found;
}

static bool matches(const struct postback_filter *filter, struct stmt *row)
{
    return (filter->notification == 0 || db_int(row, ROW_NOTIFICATION) == filter->notification) &&
           (filter->inquiry == 0 || db_opt(row, ROW_INQUIRY, 0) == filter->inquiry) &&
           (filter->type == NULL || db_opt(row, ROW_TYPE, -1) == filter->type->number) &&
           (filter->state < 0 || db_int(row, ROW_STATE) == filter->state) &&
           (filter->status_from == 0 || status_matches(filter, row)) &&
           (filter->error == NULL || error_matches(filter->error, db_text(row, ROW_ERROR)));
}

/* A search under way. */
struct search {
    struct db *db;
    int64_t account;
    const struct postback_filter *filter;
    struct walk *walk;
    int64_t id, last; /* the next one to look at, 0: none is left; the last one looked at */
    int left;         /* that may be looked at */
};

static struct search search_begin(struct db *db, int64_t account,
                                  const struct postback_filter *filter, int most)
{
    struct walk *walk = walk_new(db, account, filter);
    most = db_is_remote(db) ? most / FAR_PART : most;
    return (struct search){ db, account, filter, walk, walk_next(walk), 0, most };
}

/* Stands on the row of the next one that matches, which the caller finishes; false: no more, or
 * none within bounds. */
static bool search_next(struct search *search, struct stmt **row)
{
    const struct postback_filter *filter = search->filter;
    while (search->id != 0 && search->left > 0) {
        bool found =
            find_one(search->db, search->account, search->id, row) && matches(filter, *row) &&
            (!walk_reads_data(search->walk) ||
             data_has_order(search->db, search->account, db_int(*row, ROW_EVENT), filter->order));
        search->left--;
        search->last = search->id;
        search->id = walk_next(search->walk);
        if (found)
            return true;
        db_finish(*row);
    }
    return false;
}

/* Gives where to go on; 0: there is no more. */
static int64_t search_end(struct search *search)
{
    int64_t next = search->id != 0 ? search->last : walk_stopped(search->walk);
    walk_free(search->walk);
    return next;
}

json_t *postback_list(struct db *db, int64_t account, const struct postback_filter *filter,
                      int64_t *next)
{
    size_t limit = filter->limit <= 0          ? PAGE_DEFAULT
                   : filter->limit > PAGE_MOST ? PAGE_MOST
                                               : (size_t)filter->limit;
    json_t *page = json_array();
    struct search search = search_begin(db, account, filter, LOOKED_MOST);
    struct stmt *row;
    while (json_array_size(page) < limit && search_next(&search, &row)) {
        json_array_append_new(page, row_show(row));
        db_finish(row);
    }
    *next = search_end(&search);
    return page;
}

int64_t postback_count(struct db *db, int64_t account, const struct postback_filter *filter,
                       int64_t *next)
{
    struct search search = search_begin(db, account, filter, POSTBACKS_COUNTED);
    struct stmt *row;
    int64_t count = 0;
    for (; search_next(&search, &row); count++)
        db_finish(row);
    *next = search_end(&search);
    return count;
}

/* ---- one postback with its attempts ---- */

/* Bytes of a receiver as text: what is not UTF-8, and NUL, becomes U+FFFD. */
static void show_bytes(json_t *object, const char *name, const char *bytes, size_t len)
{
    struct buf text = { 0 };
    for (size_t at = 0; at < len;) {
        size_t size = (unsigned char)bytes[at] < 0x80 && bytes[at] != '\0' ? 1 : 0;
        for (size_t n = 2; size == 0 && n <= 4 && at + n <= len; n++) {
            if (bytes[at] != '\0' && text_is_utf8(bytes + at, n))
                size = n;
        }
        if (size > 0)
            buf_add(&text, bytes + at, size);
        else
            buf_str(&text, "\xef\xbf\xbd");
        at += size > 0 ? size : 1;
    }
    json_object_set_new(object, name, json_stringn(buf_text(&text), text.len));
    buf_free(&text);
}

enum {
    TRY_NUMBER,
    TRY_REVISION,
    TRY_STARTED,
    TRY_DURATION,
    TRY_VERDICT,
    TRY_ERROR,
    TRY_DETAIL,
    TRY_STATUS,
    TRY_HEADERS,
    TRY_BODY,
    TRY_BODY_BYTES
};

static json_t *answer_show(struct stmt *row)
{
    json_t *shown = json_object();
    size_t headers_len, body_len;
    const char *headers = db_bytes(row, TRY_HEADERS, &headers_len);
    const char *body = db_bytes(row, TRY_BODY, &body_len);
    size_t received = (size_t)db_int(row, TRY_BODY_BYTES);

    show_id(shown, "Status", db_int(row, TRY_STATUS));
    show_bytes(shown, "Headers", headers, headers_len);
    show_bytes(shown, "Body", body, body_len);
    show_bool(shown, "Truncated", body_len < received || received >= ANSWER_BODY_MAX);
    return shown;
}

/* What the attempts of one postback are shown with; a notification is loaded once a revision. */
struct shown_postback {
    struct db *db;
    int64_t account, id, notification_id;
    struct event *event;
    struct notification *notification;
    struct request request;
};

static json_t *request_again(struct shown_postback *of, int revision, int number, int64_t at_ms)
{
    struct error error = { 0 };
    if (of->notification == NULL || of->notification->revision != revision) {
        notification_unref(of->notification);
        of->notification = notification_load(of->db, of->account, of->notification_id, revision);
    }
    if (of->notification == NULL || of->event == NULL)
        return json_object();
    if (!request_build(&of->request, of->notification, of->event, of->id, number, at_ms, &error)) {
        json_t *none = json_object();
        show_text(none, "Error", error.message);
        return none;
    }
    return request_show(of->notification, &of->request);
}

static json_t *attempt_show(struct shown_postback *of, struct stmt *row)
{
    json_t *shown = json_object();
    char date[DATE_TEXT];
    int64_t started_at = db_int(row, TRY_STARTED), us = db_int(row, TRY_DURATION);
    int number = (int)db_int(row, TRY_NUMBER);
    enum exchange_error error = (enum exchange_error)db_int(row, TRY_ERROR);

    show_int(shown, "Number", number);
    show_text(shown, "StartDate", date_format_ms(date, started_at));
    json_object_set_new(shown, "DurationMs",
                        json_sprintf("%" PRId64 ".%03" PRId64, us / 1000, us % 1000));
    show_text(shown, "Verdict", verdict_name((enum verdict)db_int(row, TRY_VERDICT)));
    show_text(shown, "Error", error != EXCHANGE_OK ? exchange_error_name(error) : "");
    show_text(shown, "Detail", db_text(row, TRY_DETAIL));
    json_object_set_new(shown, "Request",
                        request_again(of, (int)db_int(row, TRY_REVISION), number, started_at));
    json_object_set_new(shown, "Response", answer_show(row));
    return shown;
}

static json_t *attempts_show(struct shown_postback *of, int64_t attempts)
{
    json_t *shown = json_array();
    struct stmt *list = db_prepare(
        of->db, "SELECT number, revision, started_at, duration_us, verdict, error, detail, status, "
                "headers, body, body_bytes FROM attempt WHERE postback = ?1 AND number > ?2 "
                "UNION ALL SELECT 1, first_revision, first_started_at, first_duration_us, ?3, 0, "
                "NULL, last_status, first_headers, first_body, first_body_bytes FROM postback "
                "WHERE id = ?1 AND first_revision IS NOT NULL ORDER BY number");
    db_bind_int(list, 1, of->id);
    db_bind_int(list, 2, attempts - POSTBACK_ATTEMPTS_SHOWN);
    db_bind_int(list, 3, VERDICT_DELIVERED);
    while (db_step(list) == DB_ROW)
        json_array_append_new(shown, attempt_show(of, list));
    db_finish(list);
    return shown;
}

/* Whose step the event tells; 0: of none of the account's.  What was sent in may name any. */
static int64_t action_of(struct db *db, int64_t account, const struct event *event)
{
    if (event == NULL)
        return 0;
    int64_t action = 0;
    json_t *data = json_loadb(event->data, event->data_len, 0, NULL);
    const char *named = json_string_value(json_object_get(data, "ActionId"));
    if (named != NULL && id_parse(named, &action)) {
        struct stmt *find = db_prepare(
            db, "SELECT action FROM action_update WHERE action = ?1 AND ((partner = ?2 AND "
                "partner_event = ?3) OR (brand = ?2 AND brand_event = ?3)) LIMIT 1");
        db_bind_int(find, 1, action);
        db_bind_int(find, 2, account);
        db_bind_int(find, 3, event->id);
        action = db_number(find, 0);
    }
    json_decref(data);
    return action;
}

json_t *postback_show(struct db *db, int64_t account, const char *account_sid, int64_t id)
{
    struct stmt *row;
    struct shown_postback of = { .db = db, .account = account, .id = id };
    json_t *shown = NULL;

    (void)account_sid; /* the loaded notification has it */
    if (find_one(db, account, id, &row)) {
        shown = row_show(row);
        of.notification_id = db_int(row, ROW_NOTIFICATION);
        of.event = event_load(db, account, db_int(row, ROW_EVENT));
        show_id(shown, "ActionId", action_of(db, account, of.event));
        json_object_set_new(shown, "AttemptList", attempts_show(&of, db_int(row, ROW_ATTEMPTS)));
    }
    db_finish(row);
    event_unref(of.event);
    notification_unref(of.notification);
    request_free(&of.request);
    return shown;
}

/* ---- health ---- */

static int64_t oldest_due(struct db *db, int64_t notification)
{
    struct stmt *find = db_prepare(db, "SELECT due_at FROM postback WHERE notification = ? AND "
                                       "state = 1 ORDER BY due_at LIMIT 1");
    db_bind_int(find, 1, notification);
    return db_number(find, DATE_NONE);
}

/* Exact while it is among the newest; behind a long queue, the minute or hour of it.  Bounded,
 * however long the queue is. */
static int64_t last_delivered(struct db *db, int64_t account, int64_t notification)
{
    int64_t at = DATE_NONE;
    struct stmt *find =
        db_prepare(db, "SELECT max(finished_at) FROM (SELECT state, finished_at FROM postback "
                       "WHERE notification = ? ORDER BY id DESC LIMIT 256) newest WHERE state = 2");
    db_bind_int(find, 1, notification);
    if (db_step(find) == DB_ROW && db_int(find, 0) > 0)
        at = db_int(find, 0);
    db_finish(find);
    for (int step = 60; step <= 3600 && at == DATE_NONE; step *= 60) {
        find = db_prepare(db, "SELECT at FROM sample WHERE account = ? AND notification = ? AND "
                              "step = ? AND delivered > 0 ORDER BY at DESC LIMIT 1");
        db_bind_int(find, 1, account);
        db_bind_int(find, 2, notification);
        db_bind_int(find, 3, step);
        if (db_step(find) == DB_ROW)
            at = db_int(find, 0);
        db_finish(find);
    }
    return at;
}

json_t *postback_health(struct db *db, int64_t account, int64_t notification)
{
    json_t *shown = NULL;
    struct stmt *find = db_prepare(
        db,
        "SELECT sum(c.pending), sum(c.delivered), sum(c.failed) FROM notification n LEFT JOIN "
        "notification_count c ON c.notification = n.id WHERE n.id = ? AND n.account = ? GROUP BY "
        "n.id");
    db_bind_int(find, 1, notification);
    db_bind_int(find, 2, account);
    if (db_step(find) == DB_ROW) {
        shown = json_object();
        show_int(shown, "Pending", db_int(find, 0));
        show_date(shown, "OldestDueDate", oldest_due(db, notification));
        show_int(shown, "Delivered", db_int(find, 1));
        show_int(shown, "FailedAttempts", db_int(find, 2));
        show_date(shown, "LastDeliveredDate",
                  db_int(find, 1) > 0 ? last_delivered(db, account, notification) : DATE_NONE);
    }
    db_finish(find);
    return shown;
}
