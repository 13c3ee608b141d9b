/* status.c — GET /healthz, /readyz, /metrics: for whoever watches the server.  No sign-in. */
#include "api/api.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/lateness.h"

#include <stdio.h>
#include <string.h>

static void show_health(struct call *call, void *context)
{
    (void)context;
    call_json_answer(call, 200,
                     json_pack("{s:s, s:s}", "Status", "OK", "Version", POSTBACKD_VERSION));
}

static void show_readiness(struct call *call, void *context)
{
    const struct api *api = context;
    struct membership_figures member;
    membership_figures(api->membership, &member);
    if (!api->ready)
        call_refuse(call, 503, NULL, "The server does not take work now.");
    else if (!membership_valid(api->membership))
        call_refuse(call, 503, NULL, "The server has lost touch with its database.");
    else if (member.draining)
        call_refuse(call, 503, NULL, "The server is being drained.");
    else if (!store_writable(api->store))
        call_refuse(call, 503, NULL, "The store takes no writes; is the disk full?");
    else
        call_json_answer(call, 200, json_pack("{s:s}", "Status", "OK"));
}

static void add_build(struct buf *out, const struct api *api)
{
    char labels[120];
    snprintf(labels, sizeof(labels), "version=\"%s\",store=\"%s\"", POSTBACKD_VERSION,
             api->membership != NULL ? "postgresql" : "sqlite");
    metrics_head(out, "postbackd_build_info", "always 1: what runs here");
    metrics_labelled(out, "postbackd_build_info", labels, 1);
}

static void add_accounts(struct buf *out, const struct room *room)
{
    const struct quota_large *largest;
    size_t count = room_largest(room, &largest);
    metrics_head(out, "postbackd_account_waiting_bytes",
                 "bytes that wait, of the ten accounts with the most");
    for (size_t i = 0; i < count; i++) {
        char labels[SID_TEXT + 20];
        snprintf(labels, sizeof(labels), "account=\"%s\"", largest[i].sid);
        metrics_labelled(out, "postbackd_account_waiting_bytes", labels, (double)largest[i].bytes);
    }
}

static void add_certificate(struct buf *out, int64_t ends_at, int64_t now_ms)
{
    if (ends_at != -1)
        metrics_gauge(out, "postbackd_client_certificate_days",
                      "until the first TLS client certificate ends; negative: it has ended",
                      (double)(ends_at - now_ms) / (24 * 3600 * 1000));
}

static void show_metrics(struct call *call, void *context)
{
    const struct api *api = context;
    struct engine_figures figures;
    struct lateness_figures lateness;
    struct membership_figures member;
    struct disk_figures disk;
    struct buf out = { 0 };
    int64_t now_ms = clock_wall_ms();

    metrics_write(&out);
    engine_figures(api->engine, &figures);
    membership_figures(api->membership, &member);
    lateness_figures(engine_services(api->engine)->lateness, &lateness);
    room_disk(engine_services(api->engine)->room, &disk);
    const struct {
        const char *name, *help;
        int64_t value;
    } gauges[] = {
        { "postbackd_ready", "1 while work is taken", api_is_ready(api) },
        { "postbackd_leases_held", "parts of the work that are this node's: of 257, all alone",
          member.parts },
        { "postbackd_nodes", "servers that share the database, with this one", member.live },
        { "postbackd_clock_behind_milliseconds",
          "how far the database's clock, which all nodes go by, is ahead of this machine's",
          member.clock_ahead },
        { "postbackd_clock_mistrusted",
          "1 while the system's clock is more than a year ahead and not followed",
          clock_mistrusted() },
        { "postbackd_uptime_seconds", "since the start", (now_ms - api->started_at) / 1000 },
        { "postbackd_store_writes_waiting", "writes given to the store and not yet committed",
          (int64_t)store_writes_waiting(api->store) },
        { "postbackd_store_reads_waiting", "reads given to the store and not yet done",
          (int64_t)store_reads_waiting(api->store) },
        { "postbackd_disk_free_bytes", "room on the disk, looked at twice a minute; -1: not known",
          disk.free },
        { "postbackd_disk_low", "1 while the disk has less room than disk-alarm",
          room_disk_low(engine_services(api->engine)->room) },
        { "postbackd_accounts_near_quota", "accounts for which 80 % of what may wait does",
          room_quotas_near(engine_services(api->engine)->room) },
        { "postbackd_postbacks_in_memory", "postbacks in lanes or under way", figures.in_memory },
        { "postbackd_outcomes_recording", "attempts whose outcome is not yet on disk",
          figures.recording },
        { "postbackd_lanes", "event notifications with a lane", figures.lanes },
        { "postbackd_lanes_down", "lanes whose destination is down", figures.lanes_down },
        { "postbackd_client_certificates_ending",
          "lanes whose TLS client certificate ends within 14 days, or has ended",
          figures.certificates_ending },
        { "postbackd_oldest_pending_seconds",
          "since the oldest postback that waits was first due, looked at every few seconds",
          lateness.oldest_at >= 0 && lateness.oldest_at < now_ms
              ? (now_ms - lateness.oldest_at) / 1000
              : 0 },
        { "postbackd_notifications_late", "event notifications with late postbacks",
          lateness.late },
        { "postbackd_notifications_alarmed", "those so late that their accounts were told",
          lateness.alarmed },
        { "postbackd_notifications_failing", "event notifications whose attempts fail in a row",
          lateness.failing },
        { "postbackd_oldest_due_seconds", "how late the oldest undelivered postback is",
          figures.oldest_due_at >= 0 && figures.oldest_due_at < now_ms
              ? (now_ms - figures.oldest_due_at) / 1000
              : 0 },
        { "postbackd_retention_oldest_seconds",
          "age of the oldest event kept; 0: none, or nothing is ever deleted",
          figures.oldest_kept_at >= 0 && figures.oldest_kept_at < now_ms
              ? (now_ms - figures.oldest_kept_at) / 1000
              : 0 },
    };
    for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
        metrics_gauge(&out, gauges[i].name, gauges[i].help, (double)gauges[i].value);
    add_build(&out, api);
    add_accounts(&out, engine_services(api->engine)->room);
    add_certificate(&out, figures.certificate_ends_at, now_ms);
    call_text_answer(call, 200, "text/plain; version=0.0.4; charset=utf-8", buf_text(&out),
                     out.len);
    buf_free(&out);
}

const struct route status_routes[] = {
    { .method = "GET", .pattern = "/healthz", .handle = show_health },
    { .method = "GET", .pattern = "/readyz", .handle = show_readiness },
    { .method = "GET", .pattern = "/metrics", .handle = show_metrics },
};
const size_t status_route_count = sizeof(status_routes) / sizeof(status_routes[0]);
