/* fake_membership.h — a server among those that share a database, as a test wants it: which parts
 * it has, and whether its lease stands.
 *
 * It takes the place of engine/membership.c in a program that tests one service; one that links
 * the whole engine cannot have it.
 */
#ifndef POSTBACKD_TEST_FAKE_MEMBERSHIP_H
#define POSTBACKD_TEST_FAKE_MEMBERSHIP_H

#include "engine/membership.h"

struct membership {
    bool valid, duty, buckets; /* buckets: all of them */
};

bool membership_valid(const struct membership *membership)
{
    return membership == NULL || membership->valid;
}

bool membership_shared(const struct membership *membership)
{
    return membership != NULL;
}

bool membership_owns(const struct membership *membership, int part)
{
    return membership == NULL ||
           (membership->valid &&
            (part == MEMBERSHIP_DUTY ? membership->duty : membership->buckets));
}

int64_t membership_strict_from(const struct membership *membership, int part)
{
    (void)membership;
    (void)part;
    return 0;
}

#endif
