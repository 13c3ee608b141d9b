/* counts.c — GET …/Counts: the numbers beside the pages' menu, what an account should look at. */
#include "api/api.h"

#include "model/show.h"
#include "store/accounts.h"
#include "store/inquiries.h"
#include "store/notifications.h"

static bool run_counts(struct api_job *job, struct db *db)
{
    int64_t account = job->call->caller.account;
    job->shown = json_object();
    show_int(job->shown, "FailingNotifications", notification_failing(db, account));
    show_int(job->shown, "PendingInquiries", inquiry_pending_count(db, &job->call->caller));
    show_int(job->shown, "UnreadNotices", notice_unread(db, account));
    return true;
}

static void counts(struct call *call, void *context)
{
    struct api_job *job = api_job_new(sizeof(*job), call, context, run_counts, api_job_show, NULL);
    api_read(job);
}

#define READS (SCOPE_API | SCOPE_READ)

const struct route counts_routes[] = {
    { "GET", "/Mediapartners/{SID}/Counts", counts, PARTNERS, READS, COUNTED, 0 },
    { "GET", "/Advertisers/{SID}/Counts", counts, BRANDS, READS, COUNTED, 0 },
};
const size_t counts_route_count = sizeof(counts_routes) / sizeof(counts_routes[0]);
