/* feed_reading.h — a feed's postbacks that are due, read from disk into memory.
 *
 * A feed reads one time after the other, all feeds together a few at once; who waits for that takes
 * turns by account.  The feed says whether there is anything to read for, and what; it is given
 * what was found.
 *
 * The rule: a postback is in memory at most once.  A read leaves out all that was held when it was
 * asked for.  A row that was not held then can only become held through a read, of which there is
 * one at a time, or fresh from a commit: that one is WAITING only after seconds, so what a slow
 * read finds is looked for among the held.
 */
#ifndef POSTBACKD_FEED_READING_H
#define POSTBACKD_FEED_READING_H

#include "base/turns.h"
#include "engine/held.h"
#include "engine/work.h"

struct readings { /* of all feeds */
    struct work *work;
    size_t under_way;
    struct turns wanting;
};

struct reading_wish {
    int64_t account;
    size_t limit;
    bool probing; /* the destination is down: also those that failed and are not due */
};

struct reading_found {
    bool ok;          /* the store could be read */
    bool again;       /* it was asked for meanwhile */
    bool stale;       /* … or called off: nothing was found then */
    struct list *all; /* struct postback.in: the callee takes them all */
    int64_t next_due; /* of the rest on disk; -1: none */
    int64_t from;     /* Ordered: where to go on */
};

struct reading {
    struct readings *readings;
    struct heap_node want;
    bool under_way, again;
    unsigned round; /* what a read of an earlier one found is stale */
    int64_t notification;
    const struct held *held;
    bool ordered; /* it reads in order of ids, beginning with `from` (0: the first that waits) */
    int64_t from;

    /* Whether there is anything to read for, now.  A read that this allows begins at once, and then
     * has `began` called. */
    bool (*may)(void *context, struct reading_wish *wish);
    void (*began)(void *context);
    void (*ended)(void *context, const struct reading_found *found);
    void *context;
};

void readings_init(struct readings *readings, struct work *work);
void readings_free(struct readings *readings);

/* Wants to read: at once, when it is its turn, or (while it reads) after that if found->again is
 * heeded. */
void reading_ask(struct reading *reading);
/* What is being read goes for nothing. */
void reading_call_off(struct reading *reading);
void reading_free(struct reading *reading);

#endif
