/* disk_low.c — an episode of little room is a row of meta while it lasts. */
#include "store/disk_low.h"

#include "base/buf.h"
#include "store/accounts.h"
#include "store/letters.h"

#include <inttypes.h>

enum { ROOMY_PERCENT = 110 };

static bool lasts(struct db *db)
{
    return db_number(db_prepare(db, "SELECT 1 FROM meta WHERE key = 'disk_low_since'"), 0) == 1;
}

enum disk_turn disk_turn(struct db *db, const struct disk_figures *disk, int64_t alarm, bool *low)
{
    bool was = lasts(db);
    bool roomy = disk->free == -1 || (double)disk->free >= (double)alarm / 100 * ROOMY_PERCENT;
    *low = was ? !roomy : disk->free != -1 && disk->free < alarm;
    return *low == was ? DISK_STAYS : *low ? DISK_LOW : DISK_ROOMY;
}

static void tell_operator(struct db *db, const struct disk_figures *disk)
{
    struct account account;
    struct buf text = { 0 };
    int64_t id = account_operator(db);
    if (id == 0 || !account_find(db, id, &account))
        return;
    buf_fmt(
        &text,
        "The disk of the data directory is nearly full: %" PRId64 " MiB are free, and the store "
        "takes %" PRId64 " MiB. When it is full nothing can be written, and no postbacks go out. "
        "Make room, or keep for fewer days what has ended.",
        disk->free >> 20, (disk->database + disk->log) >> 20);
    notice_add(db, id, "store.disk_low", buf_text(&text));
    letter_add(db, account.email, "The disk is nearly full", buf_text(&text));
    account_clear(&account);
    buf_free(&text);
}

enum disk_turn disk_tell(struct db *db, const struct disk_figures *disk, int64_t alarm)
{
    bool low;
    enum disk_turn turn = disk_turn(db, disk, alarm, &low);
    if (turn == DISK_STAYS)
        return turn;
    struct stmt *put =
        low ? db_prepare(db, "INSERT INTO meta (key, value) VALUES ('disk_low_since', ?1) "
                             "ON CONFLICT (key) DO NOTHING")
            : db_prepare(db, "DELETE FROM meta WHERE key = 'disk_low_since'");
    if (low)
        db_bind_int(put, 1, db_now(db));
    db_run(db, put);
    if (db_changes(db) != 1) /* somebody else has told it meanwhile */
        return DISK_STAYS;
    if (low)
        tell_operator(db, disk);
    return turn;
}
