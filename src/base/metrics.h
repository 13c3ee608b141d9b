/* metrics.h — counters, gauges and latency histograms in one table, written as Prometheus text.
 *
 * On the loop thread only.  Names and help are in metrics.c's table.
 */
#ifndef POSTBACKD_METRICS_H
#define POSTBACKD_METRICS_H

#include "base/buf.h"

#include <stdint.h>

enum metric {
    METRIC_REQUESTS,      /* HTTP requests answered */
    METRIC_EVENTS,        /* events committed */
    METRIC_POSTBACKS,     /* postbacks committed */
    METRIC_ATTEMPTS,      /* requests made */
    METRIC_DELIVERED,     /* postbacks delivered */
    METRIC_FAILED,        /* attempts that failed */
    METRIC_RECORDED,      /* outcomes on disk */
    METRIC_EXPIRED,       /* postbacks given up */
    METRIC_OLD_POSTBACKS, /* rows deleted by retention */
    METRIC_OLD_ATTEMPTS,
    METRIC_OLD_EVENTS,
    METRIC_READS_DAMAGED,
    METRIC_LOST_FRAMES,   /* of the write-ahead log, cut off at the start */
    METRIC_LOG_DROPPED,   /* lines of the log; kept by the log itself */
    METRIC_READS_LEFT,    /* reads that nobody waited for any more */
    METRIC_READS_REFUSED, /* … that were refused, as too many waited */
    METRIC_RETRIES,       /* transactions run again, as others were in their way */
    METRIC_ROUND_TRIPS,   /* waits for a database on another machine */
    METRIC_ROUND_TRIP_US, /* … µs */
    METRIC_TAKEOVERS,     /* of dead nodes' places, by this one */
    METRIC_FENCED,        /* this one's place was taken */
    METRIC_NEWS,          /* rows that told other nodes what was changed here (db/news.h) */
    METRIC_NEWS_HEARD,    /* … of other nodes, heard here */
    METRIC_NEWS_SENT,     /* notifications that there are some */
    METRIC_COUNTERS
};

void metric_add(enum metric metric, int64_t by);
int64_t metric_value(enum metric metric);

/* A histogram of microseconds in steps of a quarter of a power of two: 1 µs … 2 h. */
enum { HISTOGRAM_BINS = 132 };
size_t histogram_bin(int64_t us);   /* where it is counted */
int64_t histogram_edge(size_t bin); /* the upper edge, µs: at most a quarter over the value */
int64_t histogram_at(const int64_t bins[HISTOGRAM_BINS], double q); /* quantile, µs; 0: empty */

struct histogram {
    int64_t count, sum_us;
    int64_t bins[HISTOGRAM_BINS];
};
void histogram_add(struct histogram *histogram, int64_t us);
int64_t histogram_quantile(const struct histogram *histogram,
                           double q); /* upper edge, µs; 0: empty */

extern struct histogram metric_latency; /* accept to delivered, first attempt */

void metrics_write(struct buf *out); /* the counters and the histogram; gauges are the caller's */
void metrics_gauge(struct buf *out, const char *name, const char *help, double value);
/* A gauge with labels: its head, and then a line for each.  What stands in a label is ours: no
 * quotes, no backslashes. */
void metrics_head(struct buf *out, const char *name, const char *help);
void metrics_labelled(struct buf *out, const char *name, const char *labels, double value);

#endif
