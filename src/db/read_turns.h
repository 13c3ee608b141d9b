/* read_turns.h — reads that wait on one road, and whose turn it is.
 *
 * Accounts take turns (base/turns.h), and an account's reads are run in the order in which they
 * came, at most `at_once` of them at a time, so that it never has all readers.  Whoever uses it
 * holds a lock.
 */
#ifndef POSTBACKD_READ_TURNS_H
#define POSTBACKD_READ_TURNS_H

#include "base/map.h"
#include "base/turns.h"
#include "db/store.h"

struct read_limits {
    size_t at_once;      /* reads of one account that run */
    size_t account_most; /* … that wait */
    size_t all_most;     /* that wait, of all accounts */
};

struct read_turns {
    const struct read_limits *limits;
    struct map accounts; /* struct reading: those that have reads here */
    struct turns turns;  /* of these, who may have one run */
    size_t waiting;
};

void read_turns_init(struct read_turns *turns, const struct read_limits *limits);
void read_turns_free(struct read_turns *turns); /* nothing waits or runs */
/* False with job->error: too many wait. */
bool read_turns_add(struct read_turns *turns, struct job *job);
/* The next to be run; NULL: none may. */
struct job *read_turns_take(struct read_turns *turns);
/* A read of the account that was taken has been run. */
void read_turns_end(struct read_turns *turns, int64_t account);

#endif
