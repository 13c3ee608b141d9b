/* services.h — what works in the engine, each by its own header; they live as long as it.
 *
 * engine.c makes them.  None of them has this table: it is for those who pass on what happens
 * (listeners.c, observers.c), and for the API, which asks.
 */
#ifndef POSTBACKD_SERVICES_H
#define POSTBACKD_SERVICES_H

struct errands;
struct feeds;
struct key_changer;
struct lateness_watch;
struct mailer;
struct marks;
struct outcomes;
struct pause;
struct recorder;
struct retention_days;
struct replays;
struct room;
struct sweep;
struct tester;
struct touched;
struct waits;
struct work;

struct services {
    const struct work *work; /* work.h */
    struct outcomes *outcomes;
    struct feeds *feeds; /* feed.h */
    struct marks *marks;
    struct mailer *mailer;
    struct lateness_watch *lateness;
    struct pause *pause; /* maintenance.h */
    struct recorder *recorder;
    struct room *room;
    struct replays *replays;
    struct errands *errands;
    struct key_changer *key_changer; /* key_change.h */
    struct sweep *approvals, *dedupe, *ended_errands, *expiry, *held_decisions, *locking,
        *retention;
    struct touched *touched;     /* NULL: alone */
    struct retention_days *days; /* retention_days.h */
    const struct tester *tester;
    const struct waits *waits;
};

#endif
