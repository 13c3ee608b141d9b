/* state.h — the engine itself, for the files that pass on what happens: engine.c, listeners.c and
 * observers.c.  No service includes it. */
#ifndef POSTBACKD_STATE_H
#define POSTBACKD_STATE_H

#include "engine/engine.h"
#include "engine/feed.h"
#include "engine/holds.h"
#include "engine/lateness.h"
#include "engine/mailer.h"
#include "engine/maintenance.h"
#include "engine/marks.h"
#include "engine/outcomes.h"
#include "engine/recorder.h"
#include "engine/replays.h"
#include "engine/room.h"
#include "engine/sweep.h"
#include "engine/tester.h"
#include "engine/waits.h"
#include "engine/work.h"

struct engine {
    uv_loop_t *loop;
    struct store *store;
    struct courier *courier;

    struct work work;
    struct services services;
    struct tester tester;
    struct waits waits;
    struct outcomes *outcomes;
    struct feeds *feeds;
    uv_prepare_t turn; /* once a turn of the loop: outcomes go to the writer */
    struct holds holds;
    struct marks marks;
    struct replays *replays;
    struct sweep *approvals, *dedupe, *expiry, *retention;
};

#endif
