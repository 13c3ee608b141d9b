/* postgres_pipeline.h — one connection to PostgreSQL in libpq's pipeline mode.
 *
 * What is sent goes out in order and is answered in order.  Nobody waits for an answer but
 * pipeline_rows() and pipeline_settle(), so a transaction pays for its round trips, not for its
 * statements.  The first error sticks: PostgreSQL does nothing more until the next
 * pipeline_settle(), and neither does anything here.
 *
 * Every wait is bounded.  A connection that gives no answer for as long as the configuration says,
 * or that breaks, is closed at once; what was sent and not answered may or may not have been done.
 */
#ifndef POSTBACKD_POSTGRES_PIPELINE_H
#define POSTBACKD_POSTGRES_PIPELINE_H

#include "db/postgres_libpq.h"

#include <stdbool.h>
#include <stdint.h>

struct pipeline;

struct pipeline_failure { /* the first since pipeline_forget() */
    char state[6];        /* SQLSTATE; "": the connection */
    char text[300];       /* in a line, without the values of a row */
};

/* Does not connect yet.  `uri` is a connection string of libpq, "" for what the environment says;
 * `password_file`: see postgres_password.h, or NULL; `answer_ms` bounds the wait for an answer. */
struct pipeline *pipeline_new(const char *uri, const char *password_file, int answer_ms);
void pipeline_free(struct pipeline *pipeline);

/* Connects and runs `set_up` there (statements without parameters).  False: pipeline_failure(). */
bool pipeline_connect(struct pipeline *pipeline, const char *set_up);
bool pipeline_up(const struct pipeline *pipeline);
/* Between transactions, when no answer is awaited: whether the connection is still there.  One that
 * the server has ended meanwhile (a restart, another primary) is closed, so that it is made anew
 * for what begins now, and that does not fail. */
bool pipeline_stands(struct pipeline *pipeline);
void pipeline_close(struct pipeline *pipeline); /* what waits for an answer is given up */
/* Readable when something has come; -1: not connected. */
int pipeline_socket(const struct pipeline *pipeline);
/* Between two transactions: whether others have sent a notification (LISTEN) since it was asked
 * last.  A connection that is found broken is closed. */
bool pipeline_notified(struct pipeline *pipeline);
/* How often it has connected: what was prepared on an earlier connection is gone. */
unsigned pipeline_generation(const struct pipeline *pipeline);

/* While pipeline_rows() waits, stop() is asked every so often: true has the statement cancelled. */
void pipeline_watch(struct pipeline *pipeline, bool (*stop)(void *context), void *context);

struct pipeline_values { /* binary, for PQsendQueryPrepared() */
    int count;
    const Oid *types;
    const char *const *values; /* NULL: NULL */
    const int *lengths;
};

/* `prepared` becomes the generation once PostgreSQL has taken it, 0 when it has not; it stays as
 * long as the pipeline.  Text and values are copied. */
void pipeline_prepare(struct pipeline *pipeline, const char *name, const char *sql, int count,
                      const Oid *types, unsigned *prepared);
void pipeline_run(struct pipeline *pipeline, const char *name,
                  const struct pipeline_values *values);
void pipeline_run_text(struct pipeline *pipeline, const char *sql,
                       const struct pipeline_values *values);

/* Runs statements without parameters, separated by semicolons, and waits for their end, however
 * long it takes.  Nothing may wait for an answer.  False: pipeline_failure(). */
bool pipeline_script(struct pipeline *pipeline, const char *sql);

/* Waits for the answer to what was run last.  NULL: pipeline_failed().  The caller clears it. */
PGresult *pipeline_rows(struct pipeline *pipeline);
/* Waits until all is answered.  After an error this is what makes PostgreSQL listen again. */
void pipeline_settle(struct pipeline *pipeline);

/* Also while there is no connection. */
bool pipeline_failed(const struct pipeline *pipeline);
const struct pipeline_failure *pipeline_failure(const struct pipeline *pipeline);
void pipeline_forget(struct pipeline *pipeline);     /* the failure; the connection is as it was */
bool pipeline_idle(const struct pipeline *pipeline); /* nothing waits for an answer */

/* Rows of the last INSERT, UPDATE or DELETE that was answered. */
int64_t pipeline_changes(const struct pipeline *pipeline);
/* … of what was run last, set once it is answered.  *changes stays as long as it is not. */
void pipeline_changes_into(struct pipeline *pipeline, int64_t *changes);

#endif
