/* changes.h — calls that wait until something changes (GET …/Changes). */
#ifndef POSTBACKD_API_CHANGES_H
#define POSTBACKD_API_CHANGES_H

#include "api/api.h"

enum {
    CHANGES_HELD_MS = 25000,  /* then it is answered all the same */
    CHANGES_CALLS_MOST = 512, /* that wait at once, of all accounts; past it 503 */
    CHANGES_CALLS_OF_ACCOUNT = 32,
};

struct changes_desk *changes_desk_new(struct api *api);
/* Answers those that wait, and from now on all others at once: a stop need not wait for them. */
void changes_desk_close(struct changes_desk *desk);
void changes_desk_free(struct changes_desk *desk); /* closed before */

#endif
