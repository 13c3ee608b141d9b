/* feed_insides.h — what feed.c, feed_parts.c and feed_ways.c share.  For nobody else.  Each calls
 * only those behind it in this list. */
#ifndef POSTBACKD_FEED_INSIDES_H
#define POSTBACKD_FEED_INSIDES_H

#include "base/map.h"
#include "engine/feed.h"
#include "engine/feed_reading.h"
#include "engine/feed_settings.h"
#include "engine/held.h"
#include "engine/wakes.h"
#include "model/shares.h"

struct feeds {
    struct feeds_config config;
    struct work *work;
    struct courier *courier;
    struct map all;                      /* notification → struct feed */
    struct list buckets[SHARES_BUCKETS]; /* of feeds, by `in_bucket` */
    struct wakes wakes;
    struct readings readings;
    size_t in_memory;            /* postbacks */
    struct periodic *ask;        /* owners are asked whether lanes may open again */
    bool taking, take_again;     /* what waits in buckets that have become its own is looked for */
    struct periodic *take_later; /* that could not be read */
};

struct feed {
    struct feeds *feeds;
    struct list in_bucket;
    int64_t notification;
    struct feed_settings settings;
    bool changed; /* by its owner, and not read since */
    struct held held;
    struct reading reading;
    struct wake wake;    /* when the earliest row is due that is known to wait */
    bool more;           /* rows on disk may be due */
    bool direct, wanted; /* what the writer was told, what it is to be told */
    bool routing;        /* a job tells it just now */
    bool closed;         /* another one's: its lane takes nothing until the owner says so */
    bool others_wait;    /* its own: others have closed their lanes, or may have */
    int64_t told_at;     /* … when they were told of it last, steady ms */
    int64_t rest_end;  /* Ordered: when the first is due that was not when it was last read, or 0 */
    int waking;        /* jobs that make failed ones due: nothing is read before they are */
    bool down;         /* its lane is: what is fresh has to wait for what is older */
    int gone;          /* answers 410 that are not on disk yet */
    struct list early; /* fresh ones that came while the settings were read */
    size_t early_count;
};

/* ---- feed_ways.c ---- */

/* What waits of it is this server's to send. */
bool feed_is_own(const struct feed *feed);
/* None of it is to go straight to the lane.  Before its settings are known it is not said. */
bool feed_goes_by_disk(const struct feed *feed);
/* The writer is told how new ones are to be written. */
void feed_route(struct feed *feed, bool direct);
/* Out of memory again; its row waits on disk. */
void feed_put_back(struct feed *feed, struct postback *postback);
void feed_put_all_back(struct feed *feed, struct list *queued);
/* What was read goes for nothing; Ordered: the next read begins with the first that is held. */
void feed_read_anew(struct feed *feed);

/* ---- feed_parts.c ---- */

void feeds_ask(void *feeds); /* a periodic's */
/* False: whoever owned it before may have sent just now what a promise over all servers counts.  It
 * is woken then. */
bool feed_may_begin(struct feed *feed);
/* Another one's: what is fresh here waits for the owner from now on, and what is queued. */
void feed_close(struct feed *feed);
/* If it is its own now: its lane is no longer closed by the owner before. */
void feed_open(struct feed *feed);
/* Its own from now on, and a row waits until then. */
void feed_take(struct feed *feed, int64_t due_at);
/* Its own: the others are told that its lane is DOWN; that it is READY and nothing waits. */
void feed_tell_down(struct feed *feed);
void feed_tell_ready(struct feed *feed);

#endif
