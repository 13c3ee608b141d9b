/* checkpoint.h — a thread that copies the write-ahead log into the database file, so that no
 * commit waits for it. */
#ifndef POSTBACKD_CHECKPOINT_H
#define POSTBACKD_CHECKPOINT_H

#include "base/error.h"

struct checkpointer;
struct checkpointer *checkpointer_start(const char *path, struct error *error);
/* The log has this many pages now.  Any thread; costs nothing while a copy is under way. */
void checkpointer_nudge(struct checkpointer *checkpointer, int log_pages);
void checkpointer_stop(struct checkpointer *checkpointer);

#endif
