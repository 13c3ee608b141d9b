/* expiry.c — a walk over postbacks in the order of ids, which is that of their age.
 *
 * What is behind the place is younger than what was looked at, so no row is looked at twice: one
 * that is undelivered is given up when the walk comes to it.
 */
#include "store/expiry.h"

#include "base/buf.h"
#include "db/tx.h"
#include "store/accounts.h"
#include "store/direct.h"
#include "store/ledger.h"
#include "store/quotas.h"

#include <inttypes.h>

struct expired {
    int64_t notification, postback, account, event;
};

/* The id behind the last row that the step looks at. */
static int64_t step_end(struct db *db, const struct expiry *expiry)
{
    int64_t end = id_first_at(expiry->before_ms);
    struct stmt *find = db_prepare(db, "SELECT id FROM postback WHERE id >= ? AND id < ? "
                                       "ORDER BY id LIMIT 1 OFFSET ?");
    db_bind_int(find, 1, expiry->place);
    db_bind_int(find, 2, end);
    db_bind_int(find, 3, EXPIRY_LOOK);
    return db_number(find, end);
}

static void tell(struct db *db, const struct expired *row, int64_t age_s)
{
    struct buf text = { 0 };
    buf_fmt(&text,
            "Postbacks of event notification %" PRId64
            " were given up: they could not be delivered within %" PRId64
            " hours, the longest that this server tries. They are in the log as given up, and can "
            "be sent again from there.",
            row->notification, (age_s + 3599) / 3600);
    notice_add_once(db, row->account, "postbacks.expired", buf_text(&text));
    buf_free(&text);
}

void expiry_step(struct db *db, struct expiry *expiry, int64_t age_s)
{
    struct expired rows[EXPIRY_STEP];
    size_t count = 0;
    direct_write_before(db, id_first_at(expiry->before_ms)); /* an age of seconds: some had none */
    int64_t end = step_end(db, expiry), last = 0, told = 0;
    struct stmt *put = db_prepare(
        db, "UPDATE postback SET state = 4, finished_at = ?4 WHERE id IN (SELECT id FROM postback "
            "WHERE id >= ?1 AND id < ?2 AND state <= 1 ORDER BY id LIMIT ?3) AND state <= 1 "
            "RETURNING notification, id, account, event");
    db_bind_int(put, 1, expiry->place);
    db_bind_int(put, 2, end);
    db_bind_int(put, 3, EXPIRY_STEP);
    db_bind_int(put, 4, db_now(db));
    while (count < EXPIRY_STEP && db_step(put) == DB_ROW) {
        struct expired *row = &rows[count++];
        *row = (struct expired){ db_int(put, 0), db_int(put, 1), db_int(put, 2), db_int(put, 3) };
        last = row->postback > last ? row->postback : last;
    }
    db_run(db, put);
    for (size_t i = 0; i < count; i++) {
        const struct expired *row = &rows[i];
        ledger_pend(db, row->notification, -1, -quota_event_bytes(db, row->event));
        tx_note(db_tx(db), (struct change){ CHANGE_CANCELLED, row->account, row->notification,
                                            row->postback });
        if (row->notification != told)
            tell(db, row, age_s);
        told = row->notification;
    }
    tx_count(db_tx(db), METRIC_EXPIRED, (int64_t)count);
    expiry->place = count == EXPIRY_STEP ? last + 1 : end;
    expiry->whole = expiry->place >= id_first_at(expiry->before_ms);
}
