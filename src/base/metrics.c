/* metrics.c — the counters' table and the one histogram of deliveries.
 *
 * A histogram's bin b holds values up to edge(b): four steps to each doubling, so an upper edge is
 * at most 25 % above the value.
 */
#include "base/metrics.h"

#include "base/log.h"

#include <stddef.h>

static int64_t counters[METRIC_COUNTERS];
struct histogram metric_latency;

static const struct {
    const char *name, *help;
} names[METRIC_COUNTERS] = {
    [METRIC_REQUESTS] = { "postbackd_requests_total", "HTTP requests answered." },
    [METRIC_EVENTS] = { "postbackd_events_total", "Events committed." },
    [METRIC_POSTBACKS] = { "postbackd_postbacks_total", "Postbacks committed." },
    [METRIC_ATTEMPTS] = { "postbackd_attempts_total", "Requests made to receivers." },
    [METRIC_DELIVERED] = { "postbackd_delivered_total", "Postbacks delivered." },
    [METRIC_FAILED] = { "postbackd_attempts_failed_total", "Attempts that failed." },
    [METRIC_RECORDED] = { "postbackd_recorded_total", "Attempts whose outcome is on disk." },
    [METRIC_EXPIRED] = { "postbackd_expired_total", "Postbacks given up at the maximum age." },
    [METRIC_OLD_POSTBACKS] = { "postbackd_retention_postbacks_total",
                               "Postbacks deleted because they ended long ago." },
    [METRIC_OLD_ATTEMPTS] = { "postbackd_retention_attempts_total",
                              "Attempts deleted with their postbacks." },
    [METRIC_OLD_EVENTS] = { "postbackd_retention_events_total",
                            "Events deleted after the last of their postbacks." },
    [METRIC_READS_DAMAGED] = { "postbackd_store_reads_damaged_total",
                               "Reads that met a damaged page of the database." },
    [METRIC_LOST_FRAMES] = { "postbackd_wal_frames_lost_total",
                             "Committed frames of the write-ahead log that the start cut off." },
    [METRIC_LOG_DROPPED] = { "postbackd_log_dropped_total",
                             "Lines of the log that found no reader in time." },
    [METRIC_READS_LEFT] = { "postbackd_store_reads_left_total",
                            "Reads not run, or ended early, as the client had left." },
    [METRIC_READS_REFUSED] = { "postbackd_store_reads_refused_total",
                               "Reads refused, as too many waited." },
    [METRIC_RETRIES] = { "postbackd_store_retries_total",
                         "Transactions run again, as others were in their way." },
    [METRIC_ROUND_TRIPS] = { "postbackd_database_round_trips_total",
                             "Waits for an answer of PostgreSQL." },
    [METRIC_ROUND_TRIP_US] = { "postbackd_database_wait_microseconds_total",
                               "Time spent in them." },
    [METRIC_TAKEOVERS] = { "postbackd_takeovers_total",
                           "Dead nodes of a shared database whose work this one freed." },
    [METRIC_FENCED] = { "postbackd_fenced_total",
                        "Times that another node took the place of this one." },
    [METRIC_NEWS] = { "postbackd_news_total", "Changes told to other nodes, transactions." },
    [METRIC_NEWS_HEARD] = { "postbackd_news_heard_total",
                            "Changes heard of other nodes, transactions." },
    [METRIC_NEWS_SENT] = { "postbackd_news_notifications_total",
                           "Notifications sent to other nodes that there are changes." },
};

void metric_add(enum metric metric, int64_t by)
{
    counters[metric] += by;
}

int64_t metric_value(enum metric metric)
{
    return counters[metric];
}

int64_t histogram_edge(size_t bin)
{
    int64_t base = (int64_t)1 << (bin / 4);
    return base + base * (int64_t)(bin % 4 + 1) / 4;
}

size_t histogram_bin(int64_t us)
{
    if (us < 1)
        us = 1;
    size_t power = 63 - (size_t)__builtin_clzll((unsigned long long)us);
    int64_t base = (int64_t)1 << power;
    size_t bin = power * 4 + (size_t)((us - base) * 4 / base);
    return bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1;
}

void histogram_add(struct histogram *histogram, int64_t us)
{
    histogram->count++;
    histogram->sum_us += us;
    histogram->bins[histogram_bin(us)]++;
}

int64_t histogram_at(const int64_t bins[HISTOGRAM_BINS], double q)
{
    int64_t count = 0, seen = 0;
    for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++)
        count += bins[bin];
    int64_t wanted = (int64_t)(q * (double)count);
    for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
        seen += bins[bin];
        if (seen > wanted || (seen == count && seen > 0))
            return histogram_edge(bin);
    }
    return 0;
}

int64_t histogram_quantile(const struct histogram *histogram, double q)
{
    return histogram_at(histogram->bins, q);
}

void metrics_head(struct buf *out, const char *name, const char *help)
{
    buf_fmt(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

void metrics_labelled(struct buf *out, const char *name, const char *labels, double value)
{
    buf_fmt(out, "%s{%s} %.17g\n", name, labels, value);
}

void metrics_gauge(struct buf *out, const char *name, const char *help, double value)
{
    metrics_head(out, name, help);
    buf_fmt(out, "%s %.17g\n", name, value);
}

void metrics_write(struct buf *out)
{
    counters[METRIC_LOG_DROPPED] = log_dropped();
    for (size_t i = 0; i < METRIC_COUNTERS; i++)
        buf_fmt(out, "# HELP %s %s\n# TYPE %s counter\n%s %lld\n", names[i].name, names[i].help,
                names[i].name, names[i].name, (long long)counters[i]);
    static const char name[] = "postbackd_delivery_seconds";
    buf_fmt(out, "# HELP %s From the commit of an event to its delivery at the first attempt.\n",
            name);
    buf_fmt(out, "# TYPE %s histogram\n", name);
    int64_t seen = 0;
    for (size_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
        seen += metric_latency.bins[bin];
        if (bin % 4 == 3) /* one bucket a doubling is enough for a reader */
            buf_fmt(out, "%s_bucket{le=\"%.6g\"} %lld\n", name, (double)histogram_edge(bin) / 1e6,
                    (long long)seen);
    }
    buf_fmt(out, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %.6f\n%s_count %lld\n", name,
            (long long)metric_latency.count, name, (double)metric_latency.sum_us / 1e6, name,
            (long long)metric_latency.count);
}
