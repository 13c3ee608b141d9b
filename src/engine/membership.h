/* membership.h — this server among those that share its database: which part of the work is its
 * own.
 *
 * What waits is divided by the bucket of its event notification (notification_bucket()); what is
 * done once for all (sweeps, notices, mail, the lateness of all) is the duty, one more such part.
 * A server that has its database for itself owns all of it, always: its membership is NULL, which
 * every function here takes but where it says otherwise.
 *
 * It has a lease (store/leases.h), and renews it every second on a road of its own.  When it ends
 * is told by a clock that nobody sets and that goes on while the machine is suspended
 * (clock_elapsed_ms()), from before the renewal was asked for: so it stops before anybody takes its
 * place.
 *
 * On the loop thread.
 */
#ifndef POSTBACKD_MEMBERSHIP_H
#define POSTBACKD_MEMBERSHIP_H

#include "db/store.h"
#include "model/shares.h"

#include <stdbool.h>
#include <stdint.h>

struct membership;

enum {
    MEMBERSHIP_BUCKETS = SHARES_BUCKETS,
    MEMBERSHIP_DUTY = SHARES_DUTY,
    MEMBERSHIP_PARTS = SHARES_PARTS,
    MEMBERSHIP_CLOCK_MOST_MS = 1000, /* a clock further away than that is told to the operator */
};

/* What it tells, and asks; all are there. */
struct membership_events {
    /* Its lease has ended (false), or stands again. */
    void (*valid)(void *context, bool valid);
    /* The part is its own from now on (true), or no longer: then nothing of it is begun. */
    void (*part)(void *context, int part, bool own);
    /* Of one that is its own no longer: nothing of it is under way, nor to be recorded.  Then it is
     * given back.  Asked again and again. */
    bool (*quiet)(void *context, int part);
};

struct membership_config {
    uv_loop_t *loop;
    struct store *store;
    int64_t deadline_ms; /* of a request to a receiver */
    /* Another server has taken its place: whatever it has in memory is void, it can only begin
     * anew.  Comes once. */
    void (*fenced)(void *context);
    void *context;
};

/* *out: NULL where the database is not shared.  It has those parts at once that nobody had, up to
 * its share.  False with *error. */
bool membership_start(const struct membership_config *config, struct membership **out,
                      struct error *error);
/* Where it listens, for people. */
void membership_listens_at(struct membership *membership, const char *address);
/* From now on these are told; NULL: nobody.  What it owns already is not told. */
void membership_tell(struct membership *membership, const struct membership_events *events,
                     void *context);
/* Gives all back: others go on with it.  It seals the store and turns the loop until no write is
 * under way.  Behind engine_stop() and before store_close(). */
void membership_stop(struct membership *membership);
void membership_free(struct membership *membership);

/* Its lease stands, by its own clock: it may send, and commit.  Otherwise nothing new is
 * begun, and calls are answered 503. */
bool membership_valid(const struct membership *membership);
/* Others may share the database. */
bool membership_shared(const struct membership *membership);
/* The part is its own, and its lease stands. */
bool membership_owns(const struct membership *membership, int part);
/* From when on (steady ms) a new owner may send what has a promise over all servers: Ordered,
 * Maximum Requests, Maximum concurrent requests.  0: at once. */
int64_t membership_strict_from(const struct membership *membership, int part);

struct membership_figures {
    int parts;           /* it owns, the duty too; all of them when it is alone */
    int live;            /* nodes, with this one */
    bool draining;       /* it is to have no parts, and no calls (/readyz) */
    int64_t clock_ahead; /* the database's clock of its own, ms */
};
void membership_figures(const struct membership *membership, struct membership_figures *out);

#endif
