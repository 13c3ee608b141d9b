/* rations.c — counts of memory, by client and by group, and their caps.
 *
 * A share is in a map as long as somebody uses it, so there are no more of them than connections
 * and requests.
 */
#include "server/rations.h"

#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

/* Bytes that one client may have, and all of its group together. */
static const struct {
    size_t one, all;
} caps[RATION_GROUPS][RATION_KINDS] = {
    [RATION_ACCOUNTS] = { [RATION_BODIES] = { 24 * MIB, 64 * MIB },
                          [RATION_ANSWERS] = { 16 * MIB, 48 * MIB } },
    [RATION_STRANGERS] = { [RATION_BODIES] = { 2 * MIB, 8 * MIB },
                           [RATION_ANSWERS] = { 512 * KIB, 2 * MIB } },
};

struct ration *ration_use(struct rations *rations, int64_t account, const char *address)
{
    char client[LIMITS_NAME_TEXT] = "";
    struct ration *ration;
    if (account != 0) {
        ration = map_get(&rations->accounts, account);
    } else {
        limits_client(client, address);
        ration = map_get_text(&rations->addresses, client, strlen(client));
    }
    if (ration == NULL) {
        ration = must_alloc(sizeof(*ration));
        ration->rations = rations;
        ration->group = account != 0 ? RATION_ACCOUNTS : RATION_STRANGERS;
        ration->account = account;
        memcpy(ration->client, client, sizeof(client));
        if (account != 0)
            map_put(&rations->accounts, account, ration);
        else
            map_put_text(&rations->addresses, client, strlen(client), ration);
    }
    ration->uses++;
    return ration;
}

void ration_leave(struct ration *ration)
{
    struct rations *rations = ration->rations;
    if (--ration->uses > 0)
        return;
    for (size_t kind = 0; kind < RATION_KINDS; kind++) {
        if (ration->bytes[kind] != 0)
            bug("a ration is left with %zu bytes counted", ration->bytes[kind]);
    }
    if (ration->group == RATION_ACCOUNTS)
        map_remove(&rations->accounts, ration->account);
    else
        map_remove_text(&rations->addresses, ration->client, strlen(ration->client));
    free(ration);
}

enum ration_room ration_room(const struct ration *ration, enum ration_kind kind, size_t more)
{
    size_t has = ration->bytes[kind];
    if (has > 0 && has + more > caps[ration->group][kind].one)
        return RATION_FULL;
    return ration->rations->bytes[ration->group][kind] + more > caps[ration->group][kind].all
               ? RATION_GROUP_FULL
               : RATION_FITS;
}

bool ration_reads_too_little(const struct ration *ration)
{
    return ration->group == RATION_ACCOUNTS &&
           ration->bytes[RATION_ANSWERS] > caps[RATION_ACCOUNTS][RATION_ANSWERS].one / 2;
}

void ration_count(struct ration *ration, enum ration_kind kind, size_t before, size_t now)
{
    ration->bytes[kind] += now - before;
    ration->rations->bytes[ration->group][kind] += now - before;
}
