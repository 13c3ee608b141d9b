/* samples.h — what notifications did, on disk: by minute, and by hour when it is old.
 *
 * Each minute is kept three times: for a notification, for its account together (notification 0),
 * and for all together (account 0 too), so that each series is one range of rows.
 */
#ifndef POSTBACKD_SAMPLES_H
#define POSTBACKD_SAMPLES_H

#include "db/db.h"
#include "model/series.h"

struct sample_row {
    int64_t account, notification;
    struct sample sample;
};

/* ---- writing a minute: a read job, then a write job ---- */

/* From rows of notifications: sets account and pending, leaves out what does not exist, and
 * appends the rows of their accounts and of all.  Reads the counts of all notifications. */
void samples_complete(struct db *db, struct sample_row **rows, size_t *count);
/* Writes the rows of a minute, added to what is there of it (servers that share the database write
 * the same minutes), and the batch's number; a server's numbers rise. */
void samples_write(struct db *db, int64_t at_ms, const struct sample_row *rows, size_t count,
                   int64_t batch);
int64_t samples_batch(struct db *db); /* the number of this server's last one written; 0: none */

/* ---- reading ---- */

/* Puts what is kept of the span into the series, and gives in *before what was known last before
 * it (pending; -1: nothing). */
void samples_read(struct db *db, int64_t account, int64_t notification, struct series *series,
                  struct sample *before);

/* The last error of a notification that is kept: into sample->error and error_at, unless it knows a
 * later one. */
void samples_last_error(struct db *db, int64_t account, int64_t notification,
                        struct sample *sample);

/* ---- growing old: in a write job ---- */

/* One step: of minutes before minutes_ms (when an hour began) makes hours, at most `most` of them,
 * and deletes at most as many hours from before hours_ms.  Gives how many it did; less than `most`:
 * nothing old is left. */
size_t samples_age(struct db *db, int64_t minutes_ms, int64_t hours_ms, size_t most);

#endif
