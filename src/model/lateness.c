/* lateness.c — two limits, and the episode between them. */
#include "model/lateness.h"

enum {
    FAILURES_DOWN = 3, /* in a row, of a destination that is down */
    FAILURES_MOST = 10,
};

enum lateness lateness_of(const struct lateness_limits *limits, int64_t due_at, int64_t now_ms)
{
    if (due_at == -1 || now_ms - due_at <= limits->late_ms)
        return LATENESS_NONE;
    return now_ms - due_at > limits->alarm_ms ? LATENESS_ALARM : LATENESS_LATE;
}

const char *lateness_name(enum lateness lateness)
{
    static const char *const names[] = { "ON_TIME", "LATE", "ALARM" };
    return names[lateness];
}

enum lateness_turn lateness_turn(bool alarmed, enum lateness now)
{
    if (!alarmed && now == LATENESS_ALARM)
        return LATENESS_BEGINS;
    return alarmed && now == LATENESS_NONE ? LATENESS_ENDS : LATENESS_STAYS;
}

bool lateness_is_failing(int failures, bool down)
{
    return failures >= FAILURES_MOST || (down && failures >= FAILURES_DOWN);
}
