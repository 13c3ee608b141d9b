/* held.h — the postbacks of one event notification that are in memory: from the hand-over until
 * their outcome is on disk.
 *
 * A postback is here once at the most.  Whoever holds them owns them.
 */
#ifndef POSTBACKD_HELD_H
#define POSTBACKD_HELD_H

#include "model/postback.h"

struct held {
    struct list all; /* struct postback.held, as they came */
    size_t count;
    size_t *total; /* of all event notifications together */
};

void held_init(struct held *held, size_t *total);
void held_free(struct held *held); /* frees those that are left */

void held_add(struct held *held, struct postback *postback);
/* Out of memory, and out of every other list that it is in: frees it. */
void held_forget(struct held *held, struct postback *postback);

struct postback *held_find(const struct held *held, int64_t id); /* NULL: it is on disk alone */
size_t held_ids(const struct held *held, int64_t *out /* of held->count */);
/* The lowest id of them and of this one. */
int64_t held_lowest(const struct held *held, int64_t id);
bool held_waiting(const struct held *held);          /* whether one's row waits, as others see it */
bool held_from(const struct held *held, int64_t id); /* whether one has this id, or a higher one */
/* The earliest due time of them and of this one (-1: none). */
int64_t held_oldest(const struct held *held, int64_t due_at);

#endif
