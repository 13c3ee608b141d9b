/* sane_clock.c — the clock at a start, compared with the newest id.
 *
 * A store that stood still for some years is started by a right clock, so what counts as wrong is
 * generous; and an operator can say that the clock is right.  What nobody can say is that there are
 * ids behind the last one.
 */
#include "db/sane_clock.h"

#include "base/id.h"
#include "base/log.h"
#include "model/date.h"

static const int64_t year_ms = (int64_t)366 * 24 * 3600 * 1000;
static const int64_t version_ms = 1796083200000; /* 2026-12-01 */

bool sane_clock(const char *path, int64_t newest, int64_t now_ms, bool trusted, struct error *error)
{
    char now[DATE_TEXT], last[DATE_TEXT];
    int64_t newest_ms = newest != 0 ? id_time_ms(newest) : version_ms;
    int64_t years = newest != 0 ? SANE_CLOCK_YEARS : SANE_CLOCK_NEW_YEARS;
    date_format(now, now_ms);
    date_format(last, newest_ms);
    if (newest_ms > id_last_ms() - year_ms) {
        error_set(error, ERROR_BROKEN,
                  "%s holds ids of %s, made while the clock was wrong: there are hardly any behind "
                  "them (the last is of 2089). Restore a backup from before that",
                  path, last);
        return false;
    }
    if (now_ms > id_last_ms() - year_ms) {
        error_set(error, ERROR_BROKEN,
                  "the system's clock says %s, for which there are no ids (the last is of 2089): "
                  "set the clock",
                  now);
        return false;
    }
    if (now_ms > newest_ms + years * year_ms && !trusted) {
        error_set(error, ERROR_BROKEN,
                  "the system's clock says %s, and %s %s: ids taken from a wrong clock would stay "
                  "for ever. Set the clock; or, if it is right, start once with --trust-clock yes",
                  now, newest != 0 ? "the newest id in the database is of" : "this version is of",
                  last);
        return false;
    }
    if (newest != 0 && newest_ms > now_ms + year_ms)
        log_warn("ids_ahead", LOG_T("newest", last), LOG_T("clock", now),
                 LOG_T("effect", "ids and due times go on from the newest id"));
    return true;
}
