/* maintenance.c — a pause's table of states, and its texts.
 *
 * The rule: an end is possible from every state that has not ended, and nothing that has ended
 * comes back; a new pause is a new one.
 */
#include "model/maintenance.h"

#include "model/date.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bool may_become[MAINTENANCE_STATES][MAINTENANCE_STATES] = {
    [MAINTENANCE_SCHEDULED] = { [MAINTENANCE_STARTING] = true, [MAINTENANCE_CANCELLED] = true },
    [MAINTENANCE_STARTING] = { [MAINTENANCE_ON] = true, [MAINTENANCE_ENDING] = true },
    [MAINTENANCE_ON] = { [MAINTENANCE_ENDING] = true },
    [MAINTENANCE_ENDING] = { [MAINTENANCE_CATCHING_UP] = true },
    [MAINTENANCE_CATCHING_UP] = { [MAINTENANCE_OVER] = true },
    [MAINTENANCE_CANCELLED] = { [MAINTENANCE_OVER] = true },
};

bool maintenance_may_become(enum maintenance_state from, enum maintenance_state to)
{
    return may_become[from][to];
}

const char *maintenance_state_name(enum maintenance_state state)
{
    static const char *const names[MAINTENANCE_STATES] = {
        "OFF", "SCHEDULED", "STARTING", "ON", "ENDING", "CATCHING_UP", "ENDING", "OFF",
    };
    return names[state];
}

enum maintenance_state maintenance_ended_state(enum maintenance_state state)
{
    if (may_become[state][MAINTENANCE_ENDING])
        return MAINTENANCE_ENDING;
    return may_become[state][MAINTENANCE_CANCELLED] ? MAINTENANCE_CANCELLED : MAINTENANCE_OVER;
}

void maintenance_clear(struct maintenance *maintenance)
{
    free(maintenance->message);
    memset(maintenance, 0, sizeof(*maintenance));
}

struct maintenance_telling maintenance_telling(enum maintenance_state state)
{
    static const struct maintenance_telling tellings[MAINTENANCE_STATES] = {
        [MAINTENANCE_SCHEDULED] = { "maintenance.scheduled", "Maintenance is planned" },
        [MAINTENANCE_STARTING] = { "maintenance.started", "Maintenance has started" },
        [MAINTENANCE_ENDING] = { "maintenance.ended", "Maintenance is over" },
        [MAINTENANCE_CANCELLED] = { "maintenance.cancelled", "Maintenance is cancelled" },
    };
    return tellings[state];
}

void maintenance_text(struct buf *out, const struct maintenance *maintenance)
{
    static const char kept[] = "Events are taken in and kept meanwhile: nothing is lost.";
    char start[DATE_TEXT], end[DATE_TEXT];
    date_words(start, maintenance->start_at);
    switch (maintenance->state) {
    case MAINTENANCE_SCHEDULED:
        buf_fmt(out, "Postbacks will be paused for maintenance from %s. %s", start, kept);
        break;
    case MAINTENANCE_STARTING:
        buf_fmt(out, "Postbacks are paused for maintenance. %s", kept);
        break;
    case MAINTENANCE_CANCELLED:
        buf_fmt(out, "The maintenance planned for %s will not take place.", start);
        return;
    default:
        buf_str(out, "Maintenance is over. Postbacks go out again, the oldest first.");
        return;
    }
    if (maintenance->expected_end_at != DATE_NONE)
        buf_fmt(out, " They are expected to go on at %s.",
                date_words(end, maintenance->expected_end_at));
    if (maintenance->message[0] != '\0')
        buf_fmt(out, " The operator says: %s", maintenance->message);
}

void maintenance_data(struct buf *out, const struct maintenance *maintenance, int64_t pending)
{
    char start[DATE_TEXT], expected[DATE_TEXT], end[DATE_TEXT], count[24];
    snprintf(count, sizeof(count), "%" PRId64, pending);
    json_t *data =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "Message", maintenance->message, "StartDate",
                  date_format_ms(start, maintenance->started_at), "ExpectedEndDate",
                  date_format_ms(expected, maintenance->expected_end_at), "EndDate",
                  date_format_ms(end, maintenance->ended_at), "PendingPostbacks", count);
    char *text = json_dumps(data, JSON_COMPACT);
    buf_str(out, text != NULL ? text : "{}");
    free(text);
    json_decref(data);
}
