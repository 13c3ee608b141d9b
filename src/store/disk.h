/* disk.h — how much room the store takes and has, and the telling when it has little. */
#ifndef POSTBACKD_DISK_H
#define POSTBACKD_DISK_H

#include "base/list.h"
#include "store/db.h"

struct disk_figures { /* bytes; -1: the system does not say */
    int64_t database, log;
    int64_t free, size; /* of the file system: what we may use, and all of it */
};
/* Asks the file system: on a store thread. */
void disk_look(struct db *db, struct disk_figures *out);

/* An episode of little room lasts from when less than the alarm is free (0: never) until a tenth
 * more than it is. */
enum disk_turn { DISK_STAYS, DISK_LOW, DISK_ROOMY };
/* What these figures make of the episode on disk; *low: whether one lasts, with them. */
enum disk_turn disk_turn(struct db *db, const struct disk_figures *disk, int64_t alarm, bool *low);
/* Writes that, with a notice to the operator when it begins.  A write job; `letters`: mail.h. */
enum disk_turn disk_tell(struct db *db, const struct disk_figures *disk, int64_t alarm,
                         struct list *letters);

#endif
