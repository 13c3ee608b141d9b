/* episodes.c — the age of what waits, and the telling of it.
 *
 * Ids are in order of time, so the least id of those that wait tells when the oldest one was made;
 * its due time does not once it was tried, for that moves with each failed attempt.
 *
 * The rule: the row of an episode is written with its notices and its event, in one transaction.
 */
#include "store/episodes.h"

#include "base/fail.h"
#include "db/tx.h"
#include "model/date.h"
#include "store/accounts.h"
#include "store/events.h"
#include "store/ledger.h"
#include "store/letters.h"
#include "store/notifications.h"
#include "store/postbacks.h"
#include "store/routes.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what waits ---- */

/* When it was first due: its due time, until a failed attempt moves that. */
static int64_t first_due(struct db *db, int64_t postback, int64_t delay_ms)
{
    struct stmt *find = db_prepare(db, "SELECT due_at FROM postback WHERE id = ? AND attempts = 0");
    db_bind_int(find, 1, postback);
    return db_number(find, id_time_ms(postback) + delay_ms);
}

static void read_waiting(struct db *db, struct overdue *out, int64_t delay_ms, int64_t active_at)
{
    struct stmt *find = db_prepare(db, "SELECT min(id), count(*) FROM postback "
                                       "WHERE notification = ? AND state = 1");
    db_bind_int(find, 1, out->notification);
    bool found = db_step(find) == DB_ROW && db_int(find, 1) > 0;
    int64_t oldest = found ? db_int(find, 0) : 0;
    out->waiting = found ? db_int(find, 1) : 0;
    db_finish(find);
    if (found) {
        out->due_at = first_due(db, oldest, delay_ms);
        out->counted_at = active_at > out->due_at ? active_at : out->due_at;
    }
}

void episode_overdue(struct db *db, int64_t notification, struct overdue *out)
{
    int64_t delay_ms = 0, active_at = 0;
    *out = (struct overdue){ .notification = notification, .due_at = -1, .counted_at = -1 };
    struct stmt *find =
        db_prepare(db, "SELECT account, state, active_at, delay_s FROM notification "
                       "WHERE id = ? AND deleted_at IS NULL");
    db_bind_int(find, 1, notification);
    bool found = db_step(find) == DB_ROW;
    if (found) {
        out->account = db_int(find, 0);
        out->state = (enum notification_state)db_int(find, 1);
        active_at = db_int(find, 2);
        delay_ms = db_opt(find, 3, 0) * 1000;
    }
    db_finish(find);
    if (found)
        read_waiting(db, out, delay_ms, active_at);
}

size_t episodes_overdue(struct db *db, struct overdue **out)
{
    struct waiting *waiting;
    size_t count = 0, found = postback_waiting(db, &waiting);
    *out = found > 0 ? must_alloc(found * sizeof(**out)) : NULL;
    for (size_t i = 0; i < found; i++) {
        episode_overdue(db, waiting[i].notification, &(*out)[count]);
        count += (*out)[count].due_at != -1;
    }
    free(waiting);
    return count;
}

/* ---- rows ---- */

size_t episodes_load(struct db *db, struct episode **out)
{
    size_t count = 0, cap = 0;
    *out = NULL;
    db_run(db, db_prepare(db, "DELETE FROM episode WHERE notification IN "
                              "(SELECT id FROM notification WHERE deleted_at IS NOT NULL)"));
    struct stmt *list =
        db_prepare(db, "SELECT e.notification, n.account, e.kind, e.maintenance, e.since "
                       "FROM episode e JOIN notification n ON n.id = e.notification");
    while (db_step(list) == DB_ROW) {
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            *out = must_resize(*out, cap * sizeof(**out));
        }
        (*out)[count++] = (struct episode){
            .notification = db_int(list, 0),
            .account = db_int(list, 1),
            .kind = (enum episode_kind)db_int(list, 2),
            .maintenance = db_int(list, 3) != 0,
            .since = db_int(list, 4),
        };
    }
    db_finish(list);
    return count;
}

int64_t episode_since(struct db *db, int64_t notification, enum episode_kind kind)
{
    struct stmt *find =
        db_prepare(db, "SELECT since FROM episode WHERE notification = ? AND kind = ?");
    db_bind_int(find, 1, notification);
    db_bind_int(find, 2, kind);
    return db_number(find, -1);
}

/* False: it was so already; somebody else has told it. */
static bool write_row(struct db *db, const struct episode *episode, bool begins)
{
    struct stmt *put =
        begins ? db_prepare(db, "INSERT INTO episode (notification, kind, maintenance, since) "
                                "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (notification, kind) "
                                "DO NOTHING")
               : db_prepare(db, "DELETE FROM episode WHERE notification = ?1 AND kind = ?2");
    db_bind_int(put, 1, episode->notification);
    db_bind_int(put, 2, episode->kind);
    if (begins) {
        db_bind_int(put, 3, episode->maintenance);
        db_bind_int(put, 4, episode->since);
    }
    db_run(db, put);
    if (db_changes(db) != 1)
        return false;
    tx_note(db_tx(db),
            (struct change){ .kind = CHANGE_EPISODE,
                             .account = episode->account,
                             .notification = episode->notification,
                             .id = episode->kind + (episode->maintenance ? CHANGE_BY_PAUSE : 0),
                             .due_at = begins ? episode->since : -1 });
    return true;
}

/* ---- the event ---- */

static const struct event_type *type_of(const struct episode_news *news)
{
    if (news->episode.kind == EPISODE_FAILING)
        return catalog_type(news->begins ? "notification.failing" : "notification.recovered");
    return news->begins ? catalog_type("notification.late") : NULL;
}

static bool is_wanted(struct db *db, const struct notification *about,
                      const struct event_type *type)
{
    size_t count;
    const struct route *routes = routes_of(db, about->account, &count);
    for (size_t i = 0; i < count; i++) {
        if (routes[i].notification != about->id && route_wants(&routes[i], type))
            return true;
    }
    return false;
}

static char *data_of(struct db *db, const struct notification *about,
                     const struct episode_news *news)
{
    char id[24], status[16] = "", since[DATE_TEXT], waiting[24], oldest[DATE_TEXT];
    snprintf(id, sizeof(id), "%" PRId64, about->id);
    if (news->last_status != 0)
        snprintf(status, sizeof(status), "%d", news->last_status);
    snprintf(waiting, sizeof(waiting), "%" PRId64, ledger_pending(db, 0, about->id));
    date_format_ms(since, news->episode.since);
    date_format_ms(oldest, news->oldest_at == -1 ? DATE_NONE : news->oldest_at);
    json_t *data = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "NotificationId", id, "NotificationName",
        about->settings.name, "Destination", about->authority, "Reason", news->reason, "LastStatus",
        status, "SinceDate", since, "PendingPostbacks", waiting, "OldestPendingDate", oldest);
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT) : NULL;
    json_decref(data);
    return text != NULL ? text : must_copy("{}");
}

static void publish(struct job *job, struct db *db, const struct notification *about,
                    const struct episode_news *news)
{
    const struct event_type *type = type_of(news);
    if (type == NULL || !is_wanted(db, about, type))
        return;
    char *data = data_of(db, about, news);
    struct event *event = event_new(about->account, type, db_now(db), 0, data, strlen(data));
    event_publish_except(job, db, event, about->id);
    event_unref(event);
    free(data);
}

/* ---- notices ---- */

static void write_notice(struct buf *text, const struct notification *about,
                         const struct episode_news *news)
{
    char oldest[DATE_TEXT];
    if (news->episode.maintenance && news->begins) {
        buf_str(text, "Because of the maintenance postbacks are late, those of the event "
                      "notification ");
    } else if (news->episode.maintenance) {
        buf_str(text, "After the maintenance postbacks are on time again, those of the event "
                      "notification ");
    } else {
        buf_str(text, news->begins
                          ? "Postbacks are late: those of the event notification "
                          : "Postbacks are on time again: those of the event notification ");
    }
    notification_title(text, about);
    buf_char(text, '.');
    if (!news->begins)
        return;
    date_words(oldest, news->oldest_at == -1 ? DATE_NONE : news->oldest_at);
    buf_fmt(text, " %" PRId64 " %s, the oldest since %s. They are kept and will go out.",
            news->waiting, news->waiting == 1 ? "waits" : "wait", oldest);
    if (news->reason[0] != '\0') {
        buf_str(text, " At the last attempt ");
        attempt_reason_words(text, news->reason);
        buf_char(text, '.');
    }
}

static void tell(struct db *db, int64_t id, const struct episode_news *news, const char *text,
                 const char *page)
{
    struct account account;
    if (id == 0 || !account_find(db, id, &account))
        return;
    notice_add_about(db, id, news->begins ? "notification.late" : "notification.on_time", text,
                     page);
    letter_add(db, account.email,
               news->begins ? "Postbacks are late" : "Postbacks are on time again", text);
    account_clear(&account);
}

static void tell_late(struct db *db, const struct notification *about,
                      const struct episode_news *news)
{
    struct buf text = { 0 };
    struct account account;
    char page[120];
    write_notice(&text, about, news);
    snprintf(page, sizeof(page), "/notifications/%" PRId64, about->id);
    if (news->tell_account)
        tell(db, about->account, news, buf_text(&text), page);
    if (news->tell_operator && account_find(db, about->account, &account)) {
        buf_fmt(&text, " It is %s's.", account.name);
        snprintf(page, sizeof(page), "/operator/headers?AccountSid=%s&Id=%" PRId64, account.sid,
                 about->id);
        tell(db, account_operator(db), news, buf_text(&text), page);
        account_clear(&account);
    }
    buf_free(&text);
}

void episode_tell(struct job *job, struct db *db, const struct episode_news *news)
{
    struct notification *about = notification_load(db, 0, news->episode.notification, 0);
    bool tells = write_row(db, &news->episode, news->begins && about != NULL) && about != NULL;
    if (!tells) { /* or it was deleted meanwhile */
        notification_unref(about);
        return;
    }
    if (news->episode.kind == EPISODE_LATE)
        tell_late(db, about, news);
    if (news->episode.kind == EPISODE_FAILING || news->tell_account)
        publish(job, db, about, news);
    notification_unref(about);
}
