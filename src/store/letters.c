/* letters.c — rows of the table `letter`, by when they are due.
 *
 * Taking one moves its due time on, by compare and set: of two servers that meet one gets it.
 */
#include "store/letters.h"

#include "base/fail.h"
#include "db/nouns.h"
#include "db/tx.h"
#include "model/mail.h"
#include "store/memories.h"

struct letters {
    bool on;
};

/* A setting: no transaction changes it. */
static void clear(void *memory)
{
    (void)memory;
}

static size_t mark(struct db *db)
{
    (void)db;
    return 0;
}

static void undo(struct db *db, size_t to)
{
    (void)db;
    (void)to;
}

const struct db_memory letters_memory = {
    .size = sizeof(struct letters), .clear = clear, .mark = mark, .undo = undo
};

void letters_set(struct db *db, bool on)
{
    ((struct letters *)db_memory(db, MEMORY_LETTERS))->on = on;
}

bool letters_are_sent(struct db *db)
{
    return ((const struct letters *)db_memory(db, MEMORY_LETTERS))->on;
}

void letter_add(struct db *db, const char *to, const char *subject, const char *text)
{
    const struct letters *letters = db_memory(db, MEMORY_LETTERS);
    if (!letters->on || to == NULL || to[0] == '\0')
        return;
    struct stmt *add = db_prepare(db, "INSERT INTO letter (recipient, subject, text, made_at, "
                                      "due_at) VALUES (?1, ?2, ?3, ?4, ?4)");
    db_bind_text(add, 1, to);
    db_bind_text(add, 2, subject);
    db_bind_text(add, 3, text);
    db_bind_int(add, 4, db_due_now(db));
    db_run(db, add);
    tx_note(db_tx(db), (struct change){ CHANGE_LETTER });
}

static void read_due(struct db *db, size_t most, struct list *due)
{
    struct stmt *find = db_prepare(db, "SELECT id, recipient, subject, text, due_at, tries FROM "
                                       "letter WHERE due_at <= ? ORDER BY due_at, id LIMIT ?");
    db_bind_int(find, 1, db_due_now(db));
    db_bind_int(find, 2, (int64_t)most);
    while (db_step(find) == DB_ROW) {
        struct letter *letter = letter_new(db_text(find, 1), db_text(find, 2), db_text(find, 3));
        letter->id = db_int(find, 0);
        letter->due_at = db_int(find, 4);
        letter->tries = (int)db_int(find, 5) + 1;
        list_append(due, &letter->in);
    }
    db_finish(find);
}

static bool take(struct db *db, const struct letter *letter)
{
    struct stmt *put = db_prepare(db, "UPDATE letter SET due_at = ?3, tries = tries + 1 WHERE id = "
                                      "?1 AND due_at = ?2");
    db_bind_int(put, 1, letter->id);
    db_bind_int(put, 2, letter->due_at);
    db_bind_int(put, 3, db_due_now(db) + LETTER_TAKEN_MS);
    db_run(db, put);
    return !db_failed(db) && db_changes(db) == 1;
}

size_t letters_take(struct db *db, size_t most, struct list *out, int64_t *next_due)
{
    struct list due;
    size_t taken = 0;
    list_init(&due);
    read_due(db, most, &due);
    for (struct list *node; (node = list_first(&due)) != NULL;) {
        struct letter *letter = container_of(node, struct letter, in);
        list_remove(node);
        if (!take(db, letter)) {
            letter_free(letter);
            continue;
        }
        list_append(out, node);
        taken++;
    }
    *next_due =
        db_number(db_prepare(db, "SELECT due_at FROM letter ORDER BY due_at LIMIT 1"), INT64_MAX);
    return taken;
}

void letter_taken(struct db *db, int64_t id)
{
    struct stmt *drop = db_prepare(db, "DELETE FROM letter WHERE id = ?");
    db_bind_int(drop, 1, id);
    db_run(db, drop);
}

static int64_t again_after(int tries)
{
    int64_t wait = LETTER_AGAIN_MS;
    while (--tries > 0 && wait < LETTER_AGAIN_MOST_MS)
        wait *= 2;
    return wait < LETTER_AGAIN_MOST_MS ? wait : LETTER_AGAIN_MOST_MS;
}

bool letter_refused(struct db *db, int64_t id, int tries)
{
    int64_t due_at = db_due_now(db) + again_after(tries);
    struct stmt *put = db_prepare(db, "UPDATE letter SET due_at = ?2 WHERE id = ?1 AND made_at > "
                                      "?3");
    db_bind_int(put, 1, id);
    db_bind_int(put, 2, due_at);
    db_bind_int(put, 3, due_at - LETTER_AGE_MOST_MS);
    db_run(db, put);
    if (db_changes(db) == 1)
        return true;
    letter_taken(db, id);
    return false;
}

size_t letters_drop(struct db *db)
{
    struct stmt *drop =
        db_prepare(db, "DELETE FROM letter WHERE id <= (SELECT id FROM letter ORDER BY id DESC "
                       "LIMIT 1 OFFSET ?)");
    db_bind_int(drop, 1, LETTERS_MOST);
    db_run(db, drop);
    return (size_t)db_changes(db);
}
