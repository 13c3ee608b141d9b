/* memory.h — the libraries take memory as we do: what cannot be had ends the program with words.
 *
 * A library that goes on without it gives half a document, a setting that reads as absent, or
 * abort().  Whatever the network sizes has met its cap before it comes to a library.  SQLite stays
 * by itself: it undoes what it was doing, and so the store answers 503. */
#ifndef POSTBACKD_CLI_MEMORY_H
#define POSTBACKD_CLI_MEMORY_H

#include <stdint.h>
#include <uv.h>

void memory_for_libraries(void); /* before any of them has any */

/* The thread of this loop gives back what it does not use any more, every few seconds in which it
 * has worked.  The watch is the caller's until the loop has closed the handle. */
struct memory_watch {
    uv_timer_t timer;
    int64_t worked_us; /* by the last look */
};
void memory_watch(struct memory_watch *watch, uv_loop_t *loop);
void memory_unwatch(struct memory_watch *watch);

#endif
