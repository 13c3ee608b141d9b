/* inquiry_history.c — rows of inquiry_step, one for each thing that was done. */
#include "store/inquiry_history.h"

#include "model/show.h"
#include "store/inquiries.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [STEP_OPEN] = "OPENED",       [STEP_ACCEPT] = "ACCEPTED",   [STEP_DECLINE] = "DECLINED",
    [STEP_ASK] = "ASKED",         [STEP_REPLY] = "REPLIED",     [STEP_REOPEN] = "REOPENED",
    [STEP_CLOSE] = "CLOSED",      [NOTE_UNDONE] = "UNDONE",     [NOTE_LAPSED] = "LAPSED",
    [NOTE_ASSIGNED] = "ASSIGNED", [NOTE_ATTACHED] = "ATTACHED", [NOTE_DETACHED] = "DETACHED",
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static bool is_brands(enum inquiry_step step)
{
    return step == STEP_ACCEPT || step == STEP_DECLINE || step == STEP_ASK;
}

static void add(struct db *db, int64_t inquiry, int step, int64_t account, const char *author,
                int reason, const char *words, int64_t payout)
{
    struct stmt *add = db_prepare(db, "INSERT INTO inquiry_step (inquiry, step, account, author, "
                                      "reason, words, payout, created_at) "
                                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

    db_bind_int(add, 1, inquiry);
    db_bind_int(add, 2, step);
    db_bind_int(add, 3, account);
    db_bind_text(add, 4, author);
    db_bind_opt(add, 5, reason, -1);
    db_bind_text(add, 6, words != NULL ? words : "");
    db_bind_opt(add, 7, payout, MONEY_NONE);
    db_bind_int(add, 8, db_now(db));
    db_run(db, add);
}

void inquiry_history_step(struct db *db, const struct inquiry *inquiry, enum inquiry_step step,
                          const char *author, const char *comment)
{
    bool brands = is_brands(step);

    add(db, inquiry->id, (int)step, brands ? inquiry->brand : inquiry->partner, author,
        step == STEP_DECLINE ? inquiry->reject_reason : -1,
        brands ? inquiry->resolution_notes : comment,
        step == STEP_ACCEPT ? inquiry->final_payout : MONEY_NONE);
}

void inquiry_history_note(struct db *db, int64_t inquiry, enum inquiry_note note, int64_t account,
                          const char *author, const char *words)
{
    struct stmt *drop = db_prepare(db, "DELETE FROM inquiry_step WHERE inquiry = ? AND step >= 7 "
                                       "AND id < (SELECT id FROM inquiry_step WHERE inquiry = ? "
                                       "AND step >= 7 ORDER BY id DESC LIMIT 1 OFFSET ?)");

    db_bind_int(drop, 1, inquiry);
    db_bind_int(drop, 2, inquiry);
    db_bind_int(drop, 3, INQUIRY_NOTES_MAX - 2);
    db_run(db, drop);
    add(db, inquiry, (int)note, account, author, -1, words, MONEY_NONE);
}

static json_t *show(const struct inquiry *inquiry, struct stmt *row)
{
    size_t count;
    const char *const *reasons = reject_reasons(&count);
    int64_t step = db_int(row, 1), reason = db_opt(row, 4, -1);
    bool brands = db_int(row, 2) == inquiry->brand;
    bool by_rule = step == STEP_ACCEPT && strncmp(db_text(row, 3), "approval rule ", 14) == 0;
    json_t *shown = json_object();

    show_int(shown, "Id", db_int(row, 0));
    show_text(shown, "Step", step >= 0 && step < NAMES ? names[step] : "");
    show_date(shown, "Date", db_int(row, 7));
    show_text(shown, "By", by_rule ? "RULE" : brands ? "BRAND" : "PARTNER");
    show_text(shown, "User", db_text(row, 3));
    show_text(shown, "RejectReason", reason >= 0 && reason < (int64_t)count ? reasons[reason] : "");
    show_text(shown, "Text", db_text(row, 5));
    show_money(shown, "FinalPayout", db_opt(row, 6, MONEY_NONE), inquiry->currency);
    return shown;
}

json_t *inquiry_history(struct db *db, const struct caller *caller, int64_t id)
{
    struct inquiry inquiry = { 0 };
    struct stmt *list;
    json_t *steps, *history;

    if (!inquiry_find(db, caller, id, &inquiry))
        return NULL;
    list = db_prepare(db, "SELECT id, step, account, author, reason, words, payout, created_at "
                          "FROM inquiry_step WHERE inquiry = ? "
                          "AND (step NOT BETWEEN 7 AND 9 OR account = ?) ORDER BY id");
    steps = json_array();
    db_bind_int(list, 1, id);
    db_bind_int(list, 2, caller->account);
    while (db_step(list) == DB_ROW)
        json_array_append_new(steps, show(&inquiry, list));
    db_finish(list);
    inquiry_free(&inquiry);
    history = json_object();
    json_object_set_new(history, "History", steps);
    return history;
}
