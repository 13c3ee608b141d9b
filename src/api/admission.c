/* admission.c — the two counts in struct api of what has come in and is not yet on disk.
 *
 * The rule: whatever enters leaves, whether its job was written or failed.
 */
#include "api/admission.h"

#include "base/fail.h"

static bool refuse(struct call *call)
{
    call_add_header(call, "Retry-After", "1");
    call_refuse(call, 503, NULL, "More events come in than can be written; try again later.");
    return false;
}

bool admission_open(struct api *api, struct call *call)
{
    if (!api_has_lease(api, call))
        return false;
    if (store_writes_waiting(api->store) < ADMISSION_JOBS_MOST &&
        api->events_waiting < ADMISSION_EVENTS_MOST && api->bytes_waiting < ADMISSION_BYTES_MOST)
        return true;
    return refuse(call);
}

bool admission_enter(struct api *api, struct call *call, size_t events, size_t bytes)
{
    bool alone = api->events_waiting == 0;
    if (!alone && (api->events_waiting + events > ADMISSION_EVENTS_MOST ||
                   api->bytes_waiting + bytes > ADMISSION_BYTES_MOST))
        return refuse(call);
    api->events_waiting += events;
    api->bytes_waiting += bytes;
    return true;
}

void admission_leave(struct api *api, size_t events, size_t bytes)
{
    if (events > api->events_waiting || bytes > api->bytes_waiting)
        bug("more events left than had come in");
    api->events_waiting -= events;
    api->bytes_waiting -= bytes;
}
