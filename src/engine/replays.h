/* replays.h — the replays that are running, each taking one step at a time.
 *
 * A replay goes on only while its lane is READY and has room and few of the notification's
 * postbacks wait for their turn, whatever they are.  How many it writes at once follows the
 * receiver: twice as many while they are gone within half a second, half as many once they take
 * two.  So a fresh postback waits behind two seconds' worth of a replay at most.
 */
#ifndef POSTBACKD_ENGINE_REPLAYS_H
#define POSTBACKD_ENGINE_REPLAYS_H

#include "engine/work.h"

struct replays;

struct replays_config {
    struct work *work;
    /* Whether the notification's lane is READY and would take so many more.  One that is not there
     * yet is to be asked for: its notification may have had nothing to send. */
    bool (*is_ready)(void *context, int64_t notification, size_t postbacks);
    /* Ids under it have their rows: it looks no further. */
    int64_t (*horizon)(void *context);
    void *context;
};

/* Takes up those that were running. */
struct replays *replays_new(const struct replays_config *config);
void replays_free(struct replays *replays); /* NULL is allowed */
/* For who looks at the store as a replay does: ids under it have their rows.  On the loop; then, in
 * the read job, with what other servers have. */
int64_t replays_horizon(const struct replays *replays);
int64_t replays_horizon_of_all(struct db *db, int64_t horizon);
/* Event notifications have become its own (work_owns()): so do their replays. */
void replays_take(struct replays *replays);
/* One was begun (committed). */
void replays_begun(struct replays *replays, int64_t replay, int64_t notification);

#endif
