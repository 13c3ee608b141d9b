/* hearing.c — a job of the writer, which alone hears; it writes nothing. */
#include "api/hearing.h"

#include "api/allowances.h"
#include "base/fail.h"
#include "db/tx.h"

#include <stdlib.h>

struct hearing {
    struct job job;
    struct api *api;
    struct call *call;
};

static bool hearing_run(struct job *job, struct db *db)
{
    (void)job;
    tx_hear_now(db_tx(db));
    return true;
}

static void hearing_done(struct job *job, bool ok)
{
    struct hearing *hearing = (struct hearing *)job;
    if (ok)
        allowances_enter(hearing->api->allowances, hearing->call);
    else
        call_refuse_error(hearing->call, &job->error, NULL);
    free(hearing);
}

void hearing_enter(struct api *api, struct call *call)
{
    if (!call->route->current || store_guard(api->store) == NULL) {
        allowances_enter(api->allowances, call);
        return;
    }
    struct hearing *hearing = must_alloc(sizeof(*hearing));
    *hearing = (struct hearing){ .api = api, .call = call };
    hearing->job.run = hearing_run;
    hearing->job.done = hearing_done;
    hearing->job.account = call->caller.account;
    hearing->job.sure = true;
    store_write(api->store, &hearing->job);
}
