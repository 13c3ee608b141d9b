/* admission.h — how many events may be on their way to the disk at once.
 *
 * What has been taken in and is not yet written is memory.  Past the caps a call is answered 503
 * with Retry-After before anything is kept for it, and at so little cost that those who got in go
 * on as fast as before.
 */
#ifndef POSTBACKD_ADMISSION_H
#define POSTBACKD_ADMISSION_H

#include "api/api.h"

enum {
    ADMISSION_JOBS_MOST = 4096,              /* writes of all kinds, waiting for the store */
    ADMISSION_EVENTS_MOST = 16384,           /* events, counted once for each account */
    ADMISSION_BYTES_MOST = 32 * 1024 * 1024, /* of their data, counted so too */
};

/* Before a call is read: whether there is any room.  False: answered 503. */
bool admission_open(struct api *api, struct call *call);
/* Counts what was read; false: it does not fit besides what is there, answered 503.  A call that is
 * alone always fits. */
bool admission_enter(struct api *api, struct call *call, size_t events, size_t bytes);
/* It is written, or has failed. */
void admission_leave(struct api *api, size_t events, size_t bytes);

#endif
