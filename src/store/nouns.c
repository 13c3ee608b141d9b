/* nouns.c — the table: who has memory beside its rows, what is read at the start, what goes on by
 * itself. */
#include "store/nouns.h"

#include "model/postback.h"
#include "store/event_types.h"
#include "store/events.h"
#include "store/fan_outs.h"
#include "store/key_change.h"
#include "store/keyring.h"
#include "store/ledger.h"
#include "store/letters.h"
#include "store/memories.h"
#include "store/nodes.h"
#include "store/ordered_turns.h"
#include "store/quotas.h"
#include "store/routes.h"
#include "store/secrets.h"

struct following {
    bool good;
    struct error *error;
};

static void follow_key(struct db *db, const void *context)
{
    struct following *following = *(struct following *const *)context;
    following->good = key_change_follow(db, following->error);
}

/* A change of the key that went on while this server was away. */
static bool load_key(struct db *db, struct error *error)
{
    struct following following = { .error = error }, *out = &following;
    return db_transact(db, follow_key, &out, error) && following.good && secrets_match(db, error);
}

static bool load(struct db *db, const void *settings, struct error *error)
{
    if (!event_types_name(db, error) || !load_key(db, error) || !event_types_load(db, error))
        return false;
    if (settings != NULL) {
        const struct store_settings *given = settings;
        quotas_set(db, &given->quota);
        letters_set(db, given->mail);
    }
    return true;
}

static void drop(struct list *handed)
{
    postback_free(container_of(handed, struct postback, in));
}

static const struct db_memory *const memories[MEMORIES] = {
    [MEMORY_ORDERED] = &ordered_turns_memory,   [MEMORY_LEDGER] = &ledger_memory,
    [MEMORY_ROUTES] = &routes_memory,           [MEMORY_FAN_OUTS] = &fan_outs_memory,
    [MEMORY_QUOTAS] = &quotas_memory,           [MEMORY_LETTERS] = &letters_memory,
    [MEMORY_EVENT_TYPES] = &event_types_memory,
};

const struct db_nouns store_nouns = {
    .begin = keyring_open,
    .end = keyring_close,
    .load = load,
    .newest_id = event_newest,
    .join = node_join,
    .memories = memories,
    .memory_count = MEMORIES,
    .drop = drop,
    .step = events_fan_out,
    .steps_changed = fan_outs_changed,
    .step_accounts = fan_outs_accounts,
};
