/* postback_waits.c — what the rows know of why postbacks wait.
 *
 * The rule: the work is bounded for each, however long its queue is.
 */
#include "store/postbacks.h"

#include "base/fail.h"
#include "base/id.h"
#include "base/text.h"
#include "model/date.h"

#include <stdlib.h>
#include <string.h>

enum { BEHIND_LOOKED_AT = 64 }; /* rows before one: the nearest that is not delivered is near */

/* Whether one before it, of the same notification, is not delivered yet. */
static bool is_behind(struct db *db, int64_t notification, int64_t id)
{
    struct stmt *find = db_prepare(db, "SELECT coalesce(min(state), 2) FROM (SELECT state FROM "
                                       "postback WHERE notification = ? AND id < ? "
                                       "ORDER BY id DESC LIMIT ?) before");
    db_bind_int(find, 1, notification);
    db_bind_int(find, 2, id);
    db_bind_int(find, 3, BEHIND_LOOKED_AT);
    return db_number(find, POSTBACK_DELIVERED) < POSTBACK_DELIVERED;
}

/* False: it does not wait, or its notification is no more. */
static bool read_wait(struct db *db, int64_t account, int64_t id, struct postback_wait *out)
{
    struct stmt *find = db_prepare(
        db, "SELECT p.notification, p.due_at, p.attempts, n.state, n.updated_at, r.created_at, "
            "n.ordered FROM postback p "
            "JOIN notification n ON n.id = p.notification AND n.deleted_at IS NULL "
            "JOIN notification_revision r ON r.notification = n.id AND r.revision = n.revision "
            "WHERE p.id = ? AND p.account = ? AND p.state = 1");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    bool waits = db_step(find) == DB_ROW, ordered = false;
    if (waits) {
        int64_t updated_at = db_int(find, 4), revised_at = db_int(find, 5);
        *out = (struct postback_wait){ .id = id, .notification = db_int(find, 0) };
        out->facts = (struct wait_facts){
            .created_at = id_time_ms(id),
            .due_at = db_int(find, 1),
            .attempts = (int)db_int(find, 2),
            .state = (enum notification_state)db_int(find, 3),
            /* else the settings were changed after it, and that is all we know */
            .state_since = updated_at > revised_at ? updated_at : DATE_NONE,
        };
        ordered = db_int(find, 6) == 1;
    }
    db_finish(find);
    if (waits)
        out->facts.behind = ordered && is_behind(db, out->notification, id);
    return waits;
}

size_t postback_waits(struct db *db, int64_t account, const json_t *postbacks,
                      struct postback_wait **out)
{
    size_t i, count = 0;
    const json_t *postback;
    *out = must_alloc((json_array_size(postbacks) + 1) * sizeof(**out));
    json_array_foreach(postbacks, i, postback)
    {
        int64_t id;
        const char *state = json_string_value(json_object_get(postback, "State"));
        if (state != NULL && strcmp(state, "WAITING") == 0 &&
            id_parse(json_string_value(json_object_get(postback, "Id")), &id) &&
            read_wait(db, account, id, &(*out)[count]))
            count++;
    }
    return count;
}
