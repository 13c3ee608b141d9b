/* memory.h — the libraries take memory as we do: what cannot be had ends the program with words.
 *
 * A library that goes on without it gives half a document, a setting that reads as absent, or
 * abort().  Whatever the network sizes has met its cap before it comes to a library.  SQLite stays
 * by itself: it undoes what it was doing, and so the store answers 503. */
#ifndef POSTBACKD_CLI_MEMORY_H
#define POSTBACKD_CLI_MEMORY_H

void memory_for_libraries(void); /* before any of them has any */

#endif
