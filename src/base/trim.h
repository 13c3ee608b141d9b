/* trim.h — memory that a thread does not use any more goes back to the system.
 *
 * The program's malloc() has a heap for each thread.  A block that another thread frees (a reader
 * makes an event, the loop frees it) is seen by its own thread only when that one asks for more of
 * the kind; one that has nothing to do never does, and the memory of a busy minute would stay for
 * ever.  So each thread that makes what others free says when it has worked and when it rests.
 */
#ifndef POSTBACKD_TRIM_H
#define POSTBACKD_TRIM_H

enum {
    TRIM_IDLE_MS = 1000,   /* without work: then trim_idle() */
    TRIM_EVERY_MS = 10000, /* while there is work */
};

/* How the calling thread does it; before there are threads.  Without: nothing is done. */
void trim_by(void (*how)(void));
void trim_idle(void); /* the calling thread has nothing to do for now */
void trim_busy(void); /* … has worked: now and then it trims */

#endif
