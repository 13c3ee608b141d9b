/* operator_status.c — GET /Operator/Status: how the server is, in one answer.
 *
 * What the threads of the loop know is read when the call is answered; what takes a query or asks
 * the file system is a read job's.  Where servers share the database, what they have in memory is
 * that of all (api/figures.h); "Server" and what waits in its store are this one's own.
 */
#include "api/figures.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "engine/lateness.h"
#include "engine/recorder.h"
#include "model/date.h"
#include "model/show.h"
#include "store/disk_low.h"
#include "store/ledger.h"
#include "store/maintenance.h"
#include "store/quotas.h"

#include <stdio.h>
#include <unistd.h>

struct status_work {
    struct api_job api;
    int64_t pending, pending_bytes, near, resident;
    struct disk_figures disk;
    struct maintenance maintenance;
    struct node_figures figures; /* of the others; then of all */
};

static struct status_work *work_of(struct api_job *job)
{
    return (struct status_work *)job;
}

static void clear_work(struct api_job *job)
{
    maintenance_clear(&work_of(job)->maintenance);
}

/* ---- on a store thread ---- */

static int64_t resident_bytes(void)
{
    long long pages = -1;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%*s %lld", &pages) != 1)
        pages = -1;
    if (file != NULL)
        fclose(file);
    return pages == -1 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

static bool run(struct api_job *job, struct db *db)
{
    struct status_work *work = work_of(job);
    work->pending = ledger_pending(db, 0, 0);
    work->pending_bytes = quotas_bytes(db);
    work->near = quotas_near(db, &room_limits(engine_services(job->api->engine)->room)->quota);
    work->resident = resident_bytes();
    disk_look(db, &work->disk);
    work->figures = (struct node_figures){ 0 };
    if (db_is_remote(db))
        node_figures_add_others(db, &work->figures);
    maintenance_load(db, &work->maintenance);
    return true;
}

/* ---- on the loop: one object a noun ---- */

static void show_known(json_t *object, const char *name, int64_t value) /* -1: not known */
{
    if (value >= 0)
        show_int(object, name, value);
    else
        show_text(object, name, "");
}

static void show_tenths(json_t *object, const char *name, int64_t tenths)
{
    char text[32];
    snprintf(text, sizeof(text), "%.1f", (double)tenths / 10);
    show_text(object, name, text);
}

static int64_t seconds_since(int64_t at_ms, int64_t now_ms)
{
    return at_ms >= 0 && at_ms < now_ms ? (now_ms - at_ms) / 1000 : 0;
}

static json_t *server_show(const struct status_work *work, int64_t now_ms)
{
    const struct api *api = work->api.api;
    json_t *shown = json_object();
    show_text(shown, "Version", POSTBACKD_VERSION);
    show_bool(shown, "Ready", api_is_ready(api));
    show_date(shown, "StartDate", api->started_at);
    show_int(shown, "UptimeSeconds", seconds_since(api->started_at, now_ms));
    show_known(shown, "ResidentBytes", work->resident);
    return shown;
}

static json_t *postbacks_show(const struct status_work *work, int64_t now_ms)
{
    const int64_t *of = work->figures.of;
    struct lateness_figures lateness;
    json_t *shown = json_object();
    lateness_figures(engine_services(work->api.api->engine)->lateness, &lateness);
    show_int(shown, "Pending", work->pending);
    show_int(shown, "PendingBytes", work->pending_bytes);
    show_int(shown, "AccountsNearQuota", work->near);
    show_int(shown, "InMemory", of[FIGURE_IN_MEMORY]);
    show_int(shown, "Recording", of[FIGURE_RECORDING]);
    show_int(shown, "OldestDueSeconds", of[FIGURE_OLDEST_DUE_S]);
    show_int(shown, "OldestPendingSeconds", seconds_since(lateness.oldest_at, now_ms));
    show_int(shown, "Delivered", of[FIGURE_DELIVERED]);
    show_int(shown, "Failed", of[FIGURE_FAILED]);
    show_tenths(shown, "DeliveredPerSecond", of[FIGURE_DELIVERED_TENTHS]);
    show_tenths(shown, "FailedPerSecond", of[FIGURE_FAILED_TENTHS]);
    return shown;
}

static json_t *connections_show(const int64_t *of)
{
    json_t *shown = json_object();
    show_int(shown, "In", of[FIGURE_CONNECTIONS_IN]);
    show_int(shown, "Out", of[FIGURE_CONNECTIONS_OUT]);
    show_int(shown, "RequestsUnderWay", of[FIGURE_REQUESTS]);
    return shown;
}

static json_t *lanes_show(const int64_t *of)
{
    json_t *shown = json_object();
    show_int(shown, "Ready", of[FIGURE_LANES_READY]);
    show_int(shown, "Held", of[FIGURE_LANES_HELD]);
    show_int(shown, "Down", of[FIGURE_LANES_DOWN]);
    show_int(shown, "DestinationsDown", of[FIGURE_DESTINATIONS_DOWN]);
    return shown;
}

static json_t *notifications_show(const struct api *api)
{
    struct lateness_figures lateness;
    json_t *shown = json_object();
    lateness_figures(engine_services(api->engine)->lateness, &lateness);
    show_int(shown, "Late", lateness.late);
    show_int(shown, "Alarmed", lateness.alarmed);
    show_int(shown, "Failing", lateness.failing);
    return shown;
}

static json_t *store_show(const struct status_work *work)
{
    const struct store *store = work->api.api->store;
    json_t *shown = json_object();
    show_bool(shown, "Writable", store_writable(store));
    show_known(shown, "DatabaseBytes", work->disk.database);
    show_known(shown, "WalBytes", work->disk.log);
    show_known(shown, "DiskFreeBytes", work->disk.free);
    show_known(shown, "DiskBytes", work->disk.size);
    show_bool(shown, "DiskLow", room_disk_low(engine_services(work->api.api->engine)->room));
    show_int(shown, "WritesWaiting", (int64_t)store_writes_waiting(store));
    show_int(shown, "ReadsWaiting", (int64_t)store_reads_waiting(store));
    return shown;
}

static json_t *maintenance_show(const struct maintenance *maintenance)
{
    bool any = maintenance->id != 0;
    json_t *shown = json_object();
    show_text(shown, "State", maintenance_state_name(any ? maintenance->state : MAINTENANCE_OVER));
    show_date(shown, "StartDate", any ? maintenance->start_at : DATE_NONE);
    show_date(shown, "ExpectedEndDate", any ? maintenance->expected_end_at : DATE_NONE);
    return shown;
}

static void finish(struct api_job *job)
{
    struct status_work *work = work_of(job);
    struct node_figures own;
    json_t *body = json_object();
    int64_t now_ms = clock_wall_ms();
    figures_look(job->api, &own);
    node_figures_add(&work->figures, &own);
    json_object_set_new(body, "Server", server_show(work, now_ms));
    json_object_set_new(body, "Postbacks", postbacks_show(work, now_ms));
    json_object_set_new(body, "Connections", connections_show(work->figures.of));
    json_object_set_new(body, "Lanes", lanes_show(work->figures.of));
    json_object_set_new(body, "Notifications", notifications_show(job->api));
    json_object_set_new(body, "Store", store_show(work));
    json_object_set_new(body, "Maintenance", maintenance_show(&work->maintenance));
    call_json_answer(job->call, 200, body);
}

static void show(struct call *call, void *context)
{
    struct status_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear_work);
    api_read(&work->api);
}

/* Not counted: it is asked again and again by who looks on. */
const struct route operator_status_routes[] = {
    { "GET", "/Operator/Status", show, ACCOUNT_OPERATOR, SCOPE_API | SCOPE_READ, false, 0 },
};
const size_t operator_status_route_count =
    sizeof(operator_status_routes) / sizeof(operator_status_routes[0]);
