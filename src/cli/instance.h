/* instance.h — one running server: store, engine and API joined on one loop. */
#ifndef POSTBACKD_INSTANCE_H
#define POSTBACKD_INSTANCE_H

#include "api/api.h"
#include "base/config.h"

#include <limits.h>

struct instance {
    uv_loop_t *loop;
    struct store *store;
    struct membership *membership; /* NULL: the store is its own */
    struct engine *engine;
    struct server *server;
    struct route *routes;
    struct api api;
    int kept_listener; /* taken over from this process's life before; 0: none */
    bool fenced;       /* another server has taken its place: it can only begin anew (anew.h) */
    char token_path[PATH_MAX]; /* of the operator's SID and token, "SID:TOKEN" */
};

/* Opens the data directory, takes up what waits there, and listens.  At the first start (and when
 * its file is missing) the operator's token is made.  False with *error. */
/* `instance` is zeroed but for kept_listener. */
bool instance_start(struct instance *instance, uv_loop_t *loop, const struct config *config,
                    struct error *error);
/* The settings of retention, at any time. */
void instance_keep(struct instance *instance, const struct config *config);
/* Drains: no new calls, those under way are answered, attempts in flight end within the limit. */
void instance_stop(struct instance *instance, int64_t drain_ms);

#endif
