/* membership.c — which part of the work is this server's own. */
#include "engine/membership.h"

#include <stddef.h>

bool membership_valid(const struct membership *membership)
{
    return membership == NULL;
}

bool membership_shared(const struct membership *membership)
{
    return membership != NULL;
}

bool membership_owns(const struct membership *membership, int part)
{
    return membership == NULL || part < MEMBERSHIP_PARTS;
}

int64_t membership_strict_from(const struct membership *membership, int part)
{
    (void)membership;
    (void)part;
    return 0;
}
