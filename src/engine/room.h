/* room.h — what may run out is looked at: the disk, and the room of accounts for what waits.
 *
 * When the disk has less free than the alarm, the operator is told by notice, mail and log, once
 * until there is a tenth more than the alarm again; accounts near their quota (store/quotas.h) are
 * told too.  Episodes are on disk, so nobody is told twice over a restart.
 */
#ifndef POSTBACKD_ROOM_H
#define POSTBACKD_ROOM_H

#include "db/store.h"
#include "store/disk_low.h"
#include "store/quotas.h"

struct engine;

struct room_limits {
    struct quota_limits quota;
    int64_t disk_alarm; /* bytes; 0: none */
};

/* As last looked at, at most ROOM_REST_MS ago; all -1 before the first look. */
void engine_disk(const struct engine *engine, struct disk_figures *out);
bool engine_disk_low(const struct engine *engine);
int64_t engine_quotas_near(const struct engine *engine); /* accounts */
const struct room_limits *engine_room_limits(const struct engine *engine);

#endif
