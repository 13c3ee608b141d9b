/* terms.c — the terms table.
 *
 * A row never changes: terms are added from a date on, and taken away.  Neither touches an action
 * that is there, as it has a copy of what it goes by.
 */
#include "store/terms.h"

#include "model/date.h"
#include "model/show.h"

#include <string.h>

/* In the order of terms_from(). */
#define TERMS_COLUMNS                                                                              \
    "t.id, r.campaign, t.tracker, t.partner, t.payout_kind, t.payout, c.currency, t.locking, "     \
    "t.locking_days, t.locking_month_day, t.clearing_days, t.from_at, t.created_at "
#define TERMS_TABLES                                                                               \
    "terms t JOIN tracker r ON r.id = t.tracker JOIN campaign c ON c.id = r.campaign "
enum { TERMS_WIDTH = 13 };

static void terms_from(struct stmt *row, struct terms *out)
{
    int at = 0;

    *out = (struct terms){ 0 };
    out->id = db_int(row, at++);
    out->campaign = db_int(row, at++);
    out->tracker = db_int(row, at++);
    out->partner = db_int(row, at++);
    out->payout_kind = (enum payout_kind)db_int(row, at++);
    out->payout = db_int(row, at++);
    show_cut(out->currency, sizeof(out->currency), db_text(row, at++));
    out->locking = (enum locking_kind)db_int(row, at++);
    out->locking_days = (int)db_int(row, at++);
    out->locking_month_day = (int)db_int(row, at++);
    out->clearing_days = (int)db_opt(row, at++, TERMS_NEVER);
    out->from_at = db_int(row, at++);
    out->created_at = db_int(row, at);
}

static bool find_for(struct db *db, int64_t tracker, int64_t partner, int64_t event_at,
                     struct terms *out)
{
    struct stmt *find = db_prepare(db, "SELECT " TERMS_COLUMNS "FROM " TERMS_TABLES
                                       "WHERE t.tracker = ? AND t.partner = ? "
                                       "AND t.from_at <= ? ORDER BY t.from_at DESC LIMIT 1");
    bool found;

    db_bind_int(find, 1, tracker);
    db_bind_int(find, 2, partner);
    db_bind_int(find, 3, event_at);
    found = db_step(find) == DB_ROW;
    if (found)
        terms_from(find, out);
    db_finish(find);
    return found;
}

bool terms_in_force(struct db *db, int64_t tracker, int64_t partner, int64_t event_at,
                    struct terms *out)
{
    return find_for(db, tracker, partner, event_at, out) || find_for(db, tracker, 0, event_at, out);
}

bool terms_add(struct db *db, struct terms *terms)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO terms (tracker, partner, payout_kind, payout, locking, "
                       "locking_days, locking_month_day, clearing_days, from_at, created_at) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id");

    db_bind_int(add, 1, terms->tracker);
    db_bind_int(add, 2, terms->partner);
    db_bind_int(add, 3, (int64_t)terms->payout_kind);
    db_bind_int(add, 4, terms->payout);
    db_bind_int(add, 5, (int64_t)terms->locking);
    db_bind_int(add, 6, terms->locking_days);
    db_bind_int(add, 7, terms->locking_month_day);
    db_bind_opt(add, 8, terms->clearing_days, TERMS_NEVER);
    db_bind_int(add, 9, terms->from_at);
    db_bind_int(add, 10, db_now(db));
    terms->created_at = db_now(db);
    terms->id = db_insert(add);
    return terms->id != 0;
}

bool terms_remove(struct db *db, int64_t brand, int64_t id)
{
    struct stmt *remove =
        db_prepare(db, "DELETE FROM terms WHERE id = ?1 AND tracker IN (SELECT r.id FROM tracker r "
                       "JOIN campaign c ON c.id = r.campaign WHERE ?2 = 0 OR c.brand = ?2)");

    db_bind_int(remove, 1, id);
    db_bind_int(remove, 2, brand);
    db_run(db, remove);
    return !db_failed(db) && db_changes(db) == 1;
}

int64_t terms_count(struct db *db, int64_t campaign)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM terms t JOIN tracker r "
                                        "ON r.id = t.tracker WHERE r.campaign = ?");

    db_bind_int(count, 1, campaign);
    return db_number(count, 0);
}

static json_t *row_show(struct stmt *row)
{
    struct terms terms;
    json_t *shown = json_object(), *what;

    terms_from(row, &terms);
    show_int(shown, "Id", terms.id);
    show_int(shown, "CampaignId", terms.campaign);
    show_text(shown, "CampaignName", db_text(row, TERMS_WIDTH));
    show_int(shown, "ActionTrackerId", terms.tracker);
    show_text(shown, "ActionTrackerName", db_text(row, TERMS_WIDTH + 1));
    show_text(shown, "PartnerSid", db_text(row, TERMS_WIDTH + 2));
    show_text(shown, "PartnerName", db_text(row, TERMS_WIDTH + 3));
    what = terms_show(&terms);
    json_object_update(shown, what);
    json_decref(what);
    show_date(shown, "CreationDate", terms.created_at);
    return shown;
}

json_t *terms_list(struct db *db, int64_t brand, int64_t partner, int64_t campaign)
{
    struct stmt *list =
        db_prepare(db, "SELECT " TERMS_COLUMNS ", c.name, r.name, p.sid, p.name FROM " TERMS_TABLES
                       "LEFT JOIN account p ON p.id = t.partner "
                       "WHERE (?1 = 0 OR c.brand = ?1) AND (?2 = 0 OR c.id = ?2) AND (?3 = 0 OR "
                       "((t.partner = 0 OR t.partner = ?3) AND EXISTS (SELECT 1 FROM membership m "
                       "WHERE m.campaign = c.id AND m.partner = ?3))) "
                       "ORDER BY c.id, r.id, t.partner DESC, t.from_at DESC LIMIT ?4");
    json_t *array = json_array();

    db_bind_int(list, 1, brand);
    db_bind_int(list, 2, campaign);
    db_bind_int(list, 3, partner);
    db_bind_int(list, 4, TERMS_MOST);
    while (db_step(list) == DB_ROW)
        json_array_append_new(array, row_show(list));
    db_finish(list);
    return array;
}
