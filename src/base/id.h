/* id.h — 64-bit ids in order of time.
 *
 * 41 bits of milliseconds since 2020-01-01 UTC (good until 2089; the sign bit stays clear),
 * 10 bits of node, 12 bits of sequence.  Ids of one source always rise, also when the clock goes
 * back or a millisecond runs out of sequence numbers.  Outside they are decimal strings.
 */
#ifndef POSTBACKD_ID_H
#define POSTBACKD_ID_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { ID_NODES = 1024 };

struct id_source {
    _Atomic int64_t last;
    int node; /* 0 … 1023 */
};

int64_t id_next(struct id_source *source,
                int64_t now_ms); /* any thread; ends the program when there are no more */
/* The first of so many (1 … 4096) ids that follow each other. */
int64_t id_next_row(struct id_source *source, int64_t now_ms, int count);
void id_seen(struct id_source *source, int64_t id); /* later ids are above it */
int64_t id_time_ms(int64_t id);                     /* when it was made, wall clock */
int id_node(int64_t id);                            /* which node made it */
int64_t id_first_at(int64_t ms); /* the least id of that millisecond, clamped to what ids hold */

int64_t id_last_ms(void); /* the last millisecond that has ids, in 2089 */

/* A decimal string of 1 … 19 digits, nothing else. */
bool id_parse(const char *text, int64_t *id);

#endif
