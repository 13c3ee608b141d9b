/* journal.c — the audit log and the notices: what was changed by whom, and what an account is told.
 *
 * Both only grow, in order of id, and are read newest first under a cursor (`before`, an id).  An
 * audit row is written in the transaction of the change it tells of, so one is never there without
 * the other.  No secret goes into either.
 */
#include "store/accounts.h"

#include "base/buf.h"
#include "base/fail.h"
#include "db/tx.h"
#include "model/date.h"
#include "model/show.h"

#include <stdlib.h>
#include <string.h>

void audit_add(struct db *db, const struct caller *caller, const char *address, const char *action,
               const char *object, json_t *detail)
{
    struct stmt *add = db_prepare(db, "INSERT INTO audit (at, account, actor, address, action, "
                                      "object, detail) VALUES (?, ?, ?, ?, ?, ?, ?)");
    char *text = detail != NULL ? json_dumps(detail, JSON_COMPACT) : NULL;

    if (detail != NULL && text == NULL)
        die("out of memory for an audit row");
    db_bind_int(add, 1, db_now(db));
    db_bind_int(add, 2, caller->account);
    db_bind_text(add, 3, caller->name);
    db_bind_text(add, 4, address);
    db_bind_text(add, 5, action);
    db_bind_text(add, 6, object);
    db_bind_text(add, 7, text != NULL ? text : "");
    db_run(db, add);
    free(text);
    json_decref(detail);
}

/* Two texts, so that each walks its own index: one account's rows, and everybody's by id. */
#define SQL_AUDIT                                                                                  \
    "SELECT t.id, t.at, a.sid, t.actor, t.address, t.action, t.object, t.detail "                  \
    "FROM audit t LEFT JOIN account a ON a.id = t.account WHERE t.id < ?1 "

json_t *audit_list(struct db *db, int64_t account, int64_t before, int limit)
{
    struct stmt *list =
        account == 0 ? db_prepare(db, SQL_AUDIT "ORDER BY t.id DESC LIMIT ?2")
                     : db_prepare(db, SQL_AUDIT "AND t.account = ?3 ORDER BY t.id DESC LIMIT ?2");
    json_t *array = json_array();

    db_bind_int(list, 1, before == 0 ? INT64_MAX : before);
    db_bind_int(list, 2, limit);
    if (account != 0)
        db_bind_int(list, 3, account);
    while (db_step(list) == DB_ROW) {
        json_t *entry = json_object();
        show_int(entry, "Id", db_int(list, 0));
        show_date(entry, "Date", db_int(list, 1));
        show_text(entry, "AccountSid", db_text(list, 2));
        show_text(entry, "Actor", db_text(list, 3));
        show_text(entry, "Address", db_text(list, 4));
        show_text(entry, "Action", db_text(list, 5));
        show_text(entry, "Object", db_text(list, 6));
        show_text(entry, "Detail", db_text(list, 7));
        json_array_append_new(array, entry);
    }
    db_finish(list);
    return array;
}

int64_t notice_add(struct db *db, int64_t account, const char *kind, const char *text)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO notice (account, kind, text, created_at) VALUES (?, ?, ?, ?) "
                       "RETURNING id");

    db_bind_int(add, 1, account);
    db_bind_text(add, 2, kind);
    db_bind_text(add, 3, text);
    db_bind_int(add, 4, db_now(db));
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = account });
    return db_insert(add);
}

void notice_add_once(struct db *db, int64_t account, const char *kind, const char *text)
{
    struct stmt *find = db_prepare(db, "SELECT EXISTS (SELECT 1 FROM notice WHERE account = ? "
                                       "AND read_at IS NULL AND kind = ? AND text = ?)");

    db_bind_int(find, 1, account);
    db_bind_text(find, 2, kind);
    db_bind_text(find, 3, text);
    if (db_number(find, 0) == 0)
        notice_add(db, account, kind, text);
}

/* The page stands behind the words, after a byte that no text of ours has. */
enum { PAGE_MARK = '\x1f' };

int64_t notice_add_about(struct db *db, int64_t account, const char *kind, const char *text,
                         const char *page)
{
    struct buf whole = { 0 };
    buf_fmt(&whole, "%s%c%s", text, PAGE_MARK, page);
    int64_t id = notice_add(db, account, kind, buf_text(&whole));
    buf_free(&whole);
    return id;
}

static void show_words(json_t *notice, const char *text)
{
    const char *mark = text != NULL ? strrchr(text, PAGE_MARK) : NULL;
    struct buf words = { 0 };
    buf_add(&words, text != NULL ? text : "",
            mark != NULL   ? (size_t)(mark - text)
            : text != NULL ? strlen(text)
                           : 0);
    show_text(notice, "Text", buf_text(&words));
    show_text(notice, "Page", mark != NULL ? mark + 1 : "");
    buf_free(&words);
}

json_t *notice_list(struct db *db, int64_t account, int64_t before, int limit)
{
    struct stmt *list = db_prepare(db, "SELECT id, kind, text, created_at, read_at FROM notice "
                                       "WHERE account = ? AND id < ? ORDER BY id DESC LIMIT ?");
    json_t *array = json_array();

    db_bind_int(list, 1, account);
    db_bind_int(list, 2, before == 0 ? INT64_MAX : before);
    db_bind_int(list, 3, limit);
    while (db_step(list) == DB_ROW) {
        json_t *notice = json_object();
        show_int(notice, "Id", db_int(list, 0));
        show_text(notice, "Kind", db_text(list, 1));
        show_words(notice, db_text(list, 2));
        show_date(notice, "CreationDate", db_int(list, 3));
        show_date(notice, "ReadDate", db_opt(list, 4, DATE_NONE));
        json_array_append_new(array, notice);
    }
    db_finish(list);
    return array;
}

bool notice_mark_read(struct db *db, int64_t account, int64_t notice)
{
    /* Reading twice keeps the first date. */
    struct stmt *mark = db_prepare(db, "UPDATE notice SET read_at = coalesce(read_at, ?) "
                                       "WHERE id = ? AND account = ?");

    db_bind_int(mark, 1, db_now(db));
    db_bind_int(mark, 2, notice);
    db_bind_int(mark, 3, account);
    db_run(db, mark);
    return !db_failed(db) && db_changes(db) == 1;
}

int64_t notice_unread(struct db *db, int64_t account)
{
    struct stmt *count =
        db_prepare(db, "SELECT count(*) FROM notice WHERE account = ? AND read_at IS NULL");
    db_bind_int(count, 1, account);
    return db_number(count, 0);
}

void notice_mark_all_read(struct db *db, int64_t account)
{
    struct stmt *mark =
        db_prepare(db, "UPDATE notice SET read_at = ? WHERE account = ? AND read_at IS NULL");
    db_bind_int(mark, 1, db_now(db));
    db_bind_int(mark, 2, account);
    db_run(db, mark);
}
