/* membership.h — this server among those that share its database: which part of the work is its
 * own.
 *
 * What waits is divided by the bucket of its event notification (notification_bucket()); what is
 * done once for all (sweeps, notices, mail, the lateness of all) is the duty, one more such part.
 * A server that has its database for itself owns all of it, always: its membership is NULL, which
 * every function here takes.
 *
 * On the loop thread.
 */
#ifndef POSTBACKD_MEMBERSHIP_H
#define POSTBACKD_MEMBERSHIP_H

#include <stdbool.h>
#include <stdint.h>

struct membership;

enum { MEMBERSHIP_BUCKETS = 256, MEMBERSHIP_DUTY = 256, MEMBERSHIP_PARTS };

/* Its lease stands, by its own steady clock: it may send, and commit.  Otherwise nothing new is
 * begun, and calls are answered 503. */
bool membership_valid(const struct membership *membership);
/* Others may share the database. */
bool membership_shared(const struct membership *membership);
/* The part is its own, and its lease stands. */
bool membership_owns(const struct membership *membership, int part);
/* From when on (steady ms) a new owner may send what has a promise over all servers: Ordered,
 * Maximum Requests, Maximum concurrent requests.  0: at once. */
int64_t membership_strict_from(const struct membership *membership, int part);

#endif
