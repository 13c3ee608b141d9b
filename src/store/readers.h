/* readers.h — the threads that read, each on a connection of its own. */
#ifndef POSTBACKD_READERS_H
#define POSTBACKD_READERS_H

#include "store/batch.h"

struct readers;
struct readers *readers_start(const char *path, struct id_source *ids, struct batch_sink sink,
                              struct error *error);
void readers_give(struct readers *readers, struct job *job);
void readers_stop(struct readers *readers); /* runs what is left */

#endif
