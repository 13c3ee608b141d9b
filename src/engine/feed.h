/* feed.h — one event notification's postbacks between disk and lane, and all of these feeds.
 *
 * A feed is made when its notification first has something to send, and stays.  It hands postbacks
 * to the courier, parks on disk what a lane will not take, and reads it back below low water.
 */
#ifndef POSTBACKD_FEED_H
#define POSTBACKD_FEED_H

#include "courier/courier.h"
#include "engine/outcomes.h"
#include "engine/work.h"

struct feeds;
struct feed;

struct feeds_config {
    struct work *work;
    struct courier *courier;
    struct outcomes *outcomes;
    /* A notification was found deleted. */
    void (*gone)(void *context, int64_t notification);
    void *context;
};

struct feeds *feeds_new(const struct feeds_config *config);
void feeds_free(struct feeds *feeds);                           /* and what is held */
struct feed *feeds_each(const struct feeds *feeds, size_t *at); /* as map_each() */
size_t feeds_in_memory(const struct feeds *feeds);              /* postbacks: queued or in flight */

/* Buckets have become its own (membership.h): what waits in them is looked for. */
void feeds_take(struct feeds *feeds);
/* The bucket is its own no longer: what was read of it goes back, but for what is in flight, … */
void feeds_leave(struct feeds *feeds, int bucket);
/* … and what was has ended, and is recorded. */
bool feeds_are_quiet(const struct feeds *feeds, int bucket);

struct feed *feed_of(struct feeds *feeds, int64_t notification); /* made when absent */
struct feed *feed_find(struct feeds *feeds, int64_t notification);
void feed_accept(struct feed *feed, struct postback *postback); /* fresh from a commit */
void feed_changed(struct feed *feed); /* its settings or state: failed ones are tried at once */
/* What its lane has queued goes back to disk; Ordered: it will be read again from the first. */
void feed_recall(struct feed *feed);
void feed_gone(struct feed *feed);            /* the receiver answered 410: its lane stays closed */
void feed_gone_settled(struct feed *feed);    /* … that is on disk: its state is read again */
void feed_hungry(struct feed *feed);          /* its lane has room */
void feed_down(struct feed *feed, bool down); /* its lane went DOWN, or is READY again */
int64_t feed_notification(const struct feed *feed);
void feed_more(struct feed *feed); /* the disk may hold due rows, the lane may have room */
void feed_due(struct feed *feed, int64_t due_at);                     /* a row waits until then */
void feed_waits(struct feed *feed, int64_t postback, int64_t due_at); /* … which one */
void feed_hint(struct feed *feed, int64_t due_at); /* new rows wait, the first until then */
void feed_forget(struct feed *feed, struct postback *postback); /* out of memory: frees it */
bool feed_is_ordered(const struct feed *feed);
bool feed_rests(const struct feed *feed); /* Ordered, and its first is not due: nothing goes out */
/* In memory: queued or in flight. */
bool feed_has(const struct feed *feed, int64_t id);
void feed_cancelled(struct feed *feed, int64_t postback); /* it goes out no more */
void feed_retried(struct feed *feed); /* one that waits is to go before all others */
void feed_resent(struct feed *feed);  /* one that waits is due now */
/* Others have rows written, as their own lanes are closed or full: they are told when nothing waits
 * any more. */
void feed_others_wait(struct feed *feed);
/* The owner of its bucket has found its destination down, or READY with nothing that waits. */
void feed_owner_says(struct feed *feed, bool down);
/* Whether another server sends what waits of it.  Then what its lane has queued goes back to disk.
 */
bool feed_gives_back(struct feed *feed);
int64_t feed_oldest(const struct feed *feed); /* due time of the oldest it knows of; -1: none */
/* When the first certificate of its TLS client ends, wall ms; -1: it has none. */
int64_t feed_certificate_ends_at(const struct feed *feed);

#endif
