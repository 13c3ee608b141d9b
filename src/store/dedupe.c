/* dedupe.c — the event_dedupe table.
 *
 * A row has the id of the first event that its key made, so rows are written in order of time and
 * the expired ones are a range at the table's left edge.  An index that begins with a 64-bit hash
 * finds a key in one step, and lets it be there once: who adds one that another added meanwhile is
 * run again.  A key that is used again after its time has its row anew.
 */
#include "store/dedupe.h"

#include "base/buf.h"
#include "base/id.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static int64_t hash_of(int64_t account, const char *key)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    int64_t value;
    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    crypto_generichash_update(&state, (const unsigned char *)&account, sizeof(account));
    crypto_generichash_update(&state, (const unsigned char *)key, strlen(key));
    crypto_generichash_final(&state, hash, sizeof(hash));
    memcpy(&value, hash, sizeof(value));
    return value;
}

/* "17,18,19": the events after the first. */
static size_t read_others(const char *text, int64_t *ids, size_t most)
{
    size_t count = 0;
    while (*text != '\0') {
        char *end;
        int64_t id = strtoll(text, &end, 10);
        if (end == text)
            break;
        if (count < most)
            ids[count] = id;
        count++;
        text = *end == ',' ? end + 1 : end;
    }
    return count;
}

size_t dedupe_find(struct db *db, int64_t account, const char *key, int64_t *ids, size_t most)
{
    struct stmt *find =
        db_prepare(db, "SELECT event, others FROM event_dedupe WHERE hash = ? AND account = ? "
                       "AND key = ? AND event >= ? ORDER BY event DESC LIMIT 1");
    size_t count = 0;

    db_bind_int(find, 1, hash_of(account, key));
    db_bind_int(find, 2, account);
    db_bind_text(find, 3, key);
    db_bind_int(find, 4, id_first_at(db_now(db) - DEDUPE_MS));
    if (db_step(find) == DB_ROW) {
        if (most > 0)
            ids[0] = db_int(find, 0);
        count = 1 + read_others(db_text(find, 1), ids + 1, most > 0 ? most - 1 : 0);
    }
    db_finish(find);
    return count;
}

void dedupe_add(struct db *db, int64_t account, const char *key, const int64_t *ids, size_t count)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO event_dedupe (event, hash, account, key, others) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (hash, account, key) DO UPDATE SET event = excluded.event, "
            "others = excluded.others WHERE event_dedupe.event < ? RETURNING event");
    struct buf others = { 0 };

    for (size_t i = 1; i < count; i++) {
        if (i > 1)
            buf_char(&others, ',');
        buf_int(&others, ids[i]);
    }
    db_bind_int(add, 1, ids[0]);
    db_bind_int(add, 2, hash_of(account, key));
    db_bind_int(add, 3, account);
    db_bind_text(add, 4, key);
    db_bind_text(add, 5, count > 1 ? buf_text(&others) : NULL);
    db_bind_int(add, 6, id_first_at(db_now(db) - DEDUPE_MS));
    if (db_insert(add) == 0 && !db_failed(db))
        db_run_again(db, "a DedupeKey was used by another event meanwhile");
    buf_free(&others);
}

int dedupe_expire(struct db *db, int limit)
{
    struct stmt *expire =
        db_prepare(db, "DELETE FROM event_dedupe WHERE event IN "
                       "(SELECT event FROM event_dedupe WHERE event < ? ORDER BY event LIMIT ?)");

    db_bind_int(expire, 1, id_first_at(db_now(db) - DEDUPE_MS));
    db_bind_int(expire, 2, limit);
    db_run(db, expire);
    return (int)db_changes(db);
}
