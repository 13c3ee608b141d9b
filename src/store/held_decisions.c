/* held_decisions.c — rows of held_decision, one for an inquiry at most. */
#include "store/held_decisions.h"

#include "base/fail.h"
#include "model/show.h"

#include <stdlib.h>
#include <string.h>

bool held_decision_add(struct db *db, int64_t inquiry, enum inquiry_status status,
                       const struct caller *caller, const char *address, const json_t *decision,
                       int64_t due_at)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO held_decision (inquiry, brand, status, person, token, author, "
                       "address, decision, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                       "ON CONFLICT DO NOTHING");
    char *text = json_dumps(decision, JSON_COMPACT);

    if (text == NULL)
        bug("a decision cannot be written as JSON");
    db_bind_int(add, 1, inquiry);
    db_bind_int(add, 2, caller->account);
    db_bind_int(add, 3, (int64_t)status);
    db_bind_int(add, 4, caller->user);
    db_bind_int(add, 5, caller->token);
    db_bind_text(add, 6, caller->name);
    db_bind_text(add, 7, address);
    db_bind_text(add, 8, text);
    db_bind_int(add, 9, due_at);
    db_run(db, add);
    free(text);
    return db_changes(db) == 1;
}

bool held_decision_take(struct db *db, int64_t inquiry, struct held_decision *out)
{
    struct stmt *take =
        db_prepare(db, "DELETE FROM held_decision WHERE inquiry = ? RETURNING brand, "
                       "person, token, author, address, decision");
    bool found;

    *out = (struct held_decision){ .inquiry = inquiry };
    db_bind_int(take, 1, inquiry);
    found = db_step(take) == DB_ROW;
    if (found) {
        out->caller = (struct caller){ .account = db_int(take, 0),
                                       .kind = ACCOUNT_BRAND,
                                       .scope = SCOPE_API,
                                       .user = db_int(take, 1),
                                       .token = db_int(take, 2) };
        show_cut(out->caller.name, sizeof(out->caller.name), db_text(take, 3));
        out->address = db_copy(take, 4);
        out->decision = json_loads(db_text(take, 5), 0, NULL);
    }
    db_finish(take);
    return found && !db_failed(db);
}

void held_decision_clear(struct held_decision *held)
{
    free(held->address);
    json_decref(held->decision);
    *held = (struct held_decision){ 0 };
}

size_t held_decisions_due(struct db *db, int64_t *inquiries, size_t most)
{
    struct stmt *list = db_prepare(db, "SELECT inquiry FROM held_decision WHERE due_at <= ? "
                                       "ORDER BY due_at, inquiry LIMIT ?");
    size_t count = 0;

    db_bind_int(list, 1, db_now(db));
    db_bind_int(list, 2, (int64_t)most);
    while (count < most && db_step(list) == DB_ROW)
        inquiries[count++] = db_int(list, 0);
    db_finish(list);
    return count;
}
