/* disk.h — how much room the store's files take, and how much there is for them. */
#ifndef POSTBACKD_DISK_H
#define POSTBACKD_DISK_H

#include "db/db.h"

struct disk_figures { /* bytes; -1: the system does not say */
    int64_t database, log;
    int64_t free, size; /* of the file system: what we may use, and all of it */
};
/* Asks the file system: on a store thread. */
void disk_look(struct db *db, struct disk_figures *out);

#endif
