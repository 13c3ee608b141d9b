/* lateness.h — how late is late.  Pure.
 *
 * A postback counts from when it was first due, however often it has been tried since.  Late is
 * shown; much later it is an alarm: its account and the operator are told once, and once more when
 * it is on time again.
 */
#ifndef POSTBACKD_LATENESS_H
#define POSTBACKD_LATENESS_H

#include <stdbool.h>
#include <stdint.h>

enum lateness { LATENESS_NONE, LATENESS_LATE, LATENESS_ALARM };

struct lateness_limits {
    int64_t late_ms, alarm_ms;
};

/* due_at of the oldest that waits, wall ms; -1: nothing waits. */
enum lateness lateness_of(const struct lateness_limits *limits, int64_t due_at, int64_t now_ms);
const char *lateness_name(enum lateness lateness); /* ON_TIME LATE ALARM */

/* What an episode makes of it: it begins with the alarm and ends when nothing is late any more, so
 * that one near the limit does not come and go. */
enum lateness_turn { LATENESS_STAYS, LATENESS_BEGINS, LATENESS_ENDS };
enum lateness_turn lateness_turn(bool alarmed, enum lateness now);

/* Whether this many failures in a row make a notification failing; `down`: its destination is. */
bool lateness_is_failing(int failures, bool down);

#endif
