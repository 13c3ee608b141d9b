/* attempt_list.c — the attempts of a postback as rows of a file: without request and answer, which
 * the log shows one by one.
 *
 * An only attempt that delivered its postback stands in the postback's own row (009.sql).
 */
#include "store/postbacks.h"

#include "model/date.h"
#include "model/show.h"

#include <inttypes.h>

static json_t *row_show(struct stmt *row)
{
    json_t *shown = json_object();
    char date[DATE_TEXT];
    int64_t us = db_int(row, 2);
    enum exchange_error error = (enum exchange_error)db_int(row, 4);
    show_int(shown, "Number", db_int(row, 0));
    show_text(shown, "StartDate", date_format_ms(date, db_int(row, 1)));
    json_object_set_new(shown, "DurationMs",
                        json_sprintf("%" PRId64 ".%03" PRId64, us / 1000, us % 1000));
    show_text(shown, "Verdict", verdict_name((enum verdict)db_int(row, 3)));
    show_text(shown, "Error", error != EXCHANGE_OK ? exchange_error_name(error) : "");
    show_text(shown, "Detail", db_text(row, 5));
    show_id(shown, "Status", db_opt(row, 6, 0));
    show_int(shown, "AnswerBytes", db_opt(row, 7, 0));
    return shown;
}

json_t *attempt_list(struct db *db, int64_t account, int64_t postback)
{
    json_t *array = json_array();
    struct stmt *list = db_prepare(
        db, "SELECT a.number, a.started_at, a.duration_us, a.verdict, a.error, a.detail, a.status, "
            "a.body_bytes FROM attempt a JOIN postback p ON p.id = a.postback "
            "WHERE a.postback = ?1 AND p.account = ?2 "
            "UNION ALL SELECT 1, first_started_at, first_duration_us, ?3, 0, NULL, last_status, "
            "first_body_bytes FROM postback WHERE id = ?1 AND account = ?2 AND "
            "first_revision IS NOT NULL ORDER BY 1");
    db_bind_int(list, 1, postback);
    db_bind_int(list, 2, account);
    db_bind_int(list, 3, VERDICT_DELIVERED);
    while (db_step(list) == DB_ROW)
        json_array_append_new(array, row_show(list));
    db_finish(list);
    return array;
}

int64_t postback_oldest(struct db *db)
{
    return db_number(db_prepare(db, "SELECT id FROM postback WHERE id > 0 ORDER BY id LIMIT 1"), 0);
}
