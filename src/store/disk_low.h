/* disk_low.h — the telling when the disk has little room. */
#ifndef POSTBACKD_DISK_LOW_H
#define POSTBACKD_DISK_LOW_H

#include "base/list.h"
#include "db/disk.h"

/* An episode of little room lasts from when less than the alarm is free (0: never) until a tenth
 * more than it is. */
enum disk_turn { DISK_STAYS, DISK_LOW, DISK_ROOMY };
/* What these figures make of the episode on disk; *low: whether one lasts, with them. */
enum disk_turn disk_turn(struct db *db, const struct disk_figures *disk, int64_t alarm, bool *low);
/* Writes that, with a notice to the operator when it begins.  A write job. */
enum disk_turn disk_tell(struct db *db, const struct disk_figures *disk, int64_t alarm);

#endif
