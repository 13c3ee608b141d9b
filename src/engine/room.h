/* room.h — what may run out is looked at: the disk, and the room of accounts for what waits.
 *
 * When the disk has less free than the alarm, the operator is told by notice, mail and log, once
 * until there is a tenth more than the alarm again; accounts near their quota (store/quotas.h) are
 * told too.  Episodes are on disk, so nobody is told twice over a restart.
 */
#ifndef POSTBACKD_ROOM_H
#define POSTBACKD_ROOM_H

#include "engine/work.h"
#include "store/disk_low.h"
#include "store/quotas.h"

struct room;

struct room_limits {
    struct quota_limits quota;
    int64_t disk_alarm; /* bytes; 0: none */
};

/* Looks at once, and then by itself. */
struct room *room_new(struct work *work, const struct room_limits *limits);
void room_free(struct room *room);

/* As last looked at, at most ROOM_REST_MS ago; all -1 before the first look. */
void room_disk(const struct room *room, struct disk_figures *out);
bool room_disk_low(const struct room *room);
int64_t room_quotas_near(const struct room *room); /* accounts */
/* Those with the most bytes that wait; *out is the room's, until the loop's next turn. */
size_t room_largest(const struct room *room, const struct quota_large **out);
const struct room_limits *room_limits(const struct room *room);

#endif
