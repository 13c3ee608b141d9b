/* rations.h — how much of the server's memory each client has.  For this floor only.
 *
 * There is a ration for each account, and one for the strangers (who have not signed in) of each
 * address: its share.  A ration, and all of its group together, have caps, so that one client never
 * takes what the others need, and strangers nothing of what accounts have.
 */
#ifndef POSTBACKD_RATIONS_H
#define POSTBACKD_RATIONS_H

#include "base/map.h"
#include "server/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ration_kind {
    RATION_BODIES,  /* of requests that come in, until they are answered */
    RATION_ANSWERS, /* what clients have not taken yet */
    RATION_KINDS,
};
enum ration_group { RATION_ACCOUNTS, RATION_STRANGERS, RATION_GROUPS };

struct ration {
    struct rations *rations;
    enum ration_group group;
    size_t uses; /* by connections and requests; without one it is freed */
    size_t bytes[RATION_KINDS];
    size_t connections;            /* that the address has */
    int64_t account;               /* or: */
    char client[LIMITS_NAME_TEXT]; /* an address, as limits_client() has it */
};

struct rations { /* all zeroes is empty */
    struct map accounts, addresses;
    size_t bytes[RATION_GROUPS][RATION_KINDS];
};

/* The share of an account, or, when `account` is 0, of the strangers of an address; with one use
 * more.  Never NULL. */
struct ration *ration_use(struct rations *rations, int64_t account, const char *address);
static inline struct ration *ration_again(struct ration *ration)
{
    ration->uses++;
    return ration;
}
void ration_leave(struct ration *ration);

enum ration_room {
    RATION_FITS,
    RATION_FULL,       /* the client's own share is */
    RATION_GROUP_FULL, /* it is not, but all of the group have as much as they may */
};
/* Whether `more` bytes fit.  A client that has nothing yet always fits in its own share. */
enum ration_room ration_room(const struct ration *ration, enum ration_kind kind, size_t more);
/* Whether an account has left more unread than half of what it may. */
bool ration_reads_too_little(const struct ration *ration);
/* What was `before` bytes is `now`. */
void ration_count(struct ration *ration, enum ration_kind kind, size_t before, size_t now);

#endif
