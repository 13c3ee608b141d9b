/* progress.h — how far a long command is: a bar in one line of a terminal, which is written over.
 */
#ifndef POSTBACKD_CLI_PROGRESS_H
#define POSTBACKD_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    int drawn; /* per cent; -1: nothing is drawn */
};

bool progress_wanted(void); /* standard error is a terminal */
void progress_draw(struct progress *progress, int64_t done, int64_t all);
void progress_clear(struct progress *progress); /* the line is empty again */

#endif
