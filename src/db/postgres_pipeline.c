/* postgres_pipeline.c — a ring of what was sent and not answered, over libpq's own buffers.
 *
 * libpq copies what is sent and lets it go out at 64 KiB; we push it out every FLUSH_EVERY sends,
 * so that PostgreSQL works while the next statements are made, and take in what has come, so that
 * neither side's buffer fills.  The connection is non-blocking and every wait is our own poll().
 *
 * The rule: an answer belongs to the oldest entry of the ring.  An entry is one result and the NULL
 * behind it; a sync point is its result alone.
 */
#include "db/postgres_pipeline.h"

#include "base/clock.h"
#include "base/fail.h"
#include "db/driver.h"
#include "db/postgres_password.h"
#include "db/postgres_sql.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PENDING_MOST = 4096, /* then it waits for all */
    FLUSH_EVERY = 32,
    LOOK_MS = 20, /* between two looks at pipeline_watch()'s stop() */
};

enum sent_kind { SENT_PREPARE, SENT_RUN, SENT_SYNC };

struct sent {
    enum sent_kind kind;
    unsigned *prepared; /* of SENT_PREPARE */
    int64_t *changes;   /* where its changes are told; NULL: nowhere */
};

struct pipeline {
    PGconn *conn;              /* NULL: not connected */
    char *uri, *password_file; /* the file NULL: there is none */
    int answer_ms;
    unsigned generation;
    struct pipeline_failure failure;
    bool failed;
    struct sent ring[PENDING_MOST];
    unsigned first, count;
    int64_t changes;
    bool (*stop)(void *context);
    void *stop_context;
    bool may_stop; /* what is waited for */
};

/* ---- failures ---- */

static void fail(struct pipeline *pipeline, const char *state, const char *words)
{
    if (pipeline->failed)
        return;
    pipeline->failed = true;
    snprintf(pipeline->failure.state, sizeof(pipeline->failure.state), "%s",
             state != NULL ? state : "");
    int len = (int)strcspn(words, "\n");
    if (pipeline->failure.state[0] != '\0')
        snprintf(pipeline->failure.text, sizeof(pipeline->failure.text), "%.*s (%s)", len, words,
                 pipeline->failure.state);
    else
        snprintf(pipeline->failure.text, sizeof(pipeline->failure.text), "%.*s", len, words);
}

static void lose(struct pipeline *pipeline, const char *words)
{
    fail(pipeline, "", words);
    pipeline_close(pipeline);
}

static void note_error(struct pipeline *pipeline, const PGresult *result)
{
    const char *state = libpq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = libpq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    fail(pipeline, state, words != NULL ? words : libpq.PQresultErrorMessage(result));
}

bool pipeline_failed(const struct pipeline *pipeline)
{
    return pipeline->failed || pipeline->conn == NULL;
}

const struct pipeline_failure *pipeline_failure(const struct pipeline *pipeline)
{
    return &pipeline->failure;
}

void pipeline_forget(struct pipeline *pipeline)
{
    pipeline->failed = false;
    pipeline->failure = (struct pipeline_failure){ 0 };
}

/* ---- waiting ---- */

static void push(struct pipeline *pipeline)
{
    if (pipeline->conn != NULL && libpq.PQflush(pipeline->conn) == -1)
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
}

static void cancel_if_wanted(struct pipeline *pipeline)
{
    char words[256];

    if (pipeline->stop == NULL || !pipeline->may_stop || !pipeline->stop(pipeline->stop_context))
        return;
    pipeline->may_stop = false; /* once is enough */
    PGcancel *cancel = libpq.PQgetCancel(pipeline->conn);
    libpq.PQcancel(cancel, words, sizeof(words)); /* the answer says whether it was heard */
    libpq.PQfreeCancel(cancel);
}

/* Waits for the socket, or for LOOK_MS when somebody may want to stop it. */
static void wait_for_socket(struct pipeline *pipeline, int64_t deadline_us)
{
    int64_t left_ms = (deadline_us - clock_steady_us()) / 1000;
    int more = libpq.PQflush(pipeline->conn);
    struct pollfd socket = { .fd = libpq.PQsocket(pipeline->conn),
                             .events = (short)(POLLIN | (more == 1 ? POLLOUT : 0)) };

    if (more == -1) {
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
        return;
    }
    if (left_ms <= 0) {
        lose(pipeline, "no answer");
        return;
    }
    if (pipeline->may_stop && pipeline->stop != NULL && left_ms > LOOK_MS)
        left_ms = LOOK_MS;
    poll(&socket, 1, (int)left_ms);
    if (socket.revents != 0 && socket.revents != POLLOUT &&
        libpq.PQconsumeInput(pipeline->conn) == 0)
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
    else
        cancel_if_wanted(pipeline);
}

/* True: a result can be taken without waiting. */
static bool wait_for_answer(struct pipeline *pipeline)
{
    if (pipeline->conn == NULL || !libpq.PQisBusy(pipeline->conn))
        return pipeline->conn != NULL;
    int64_t began_us = clock_steady_us();
    int64_t deadline_us = began_us + pipeline->answer_ms * INT64_C(1000);

    while (pipeline->conn != NULL && libpq.PQisBusy(pipeline->conn))
        wait_for_socket(pipeline, deadline_us);
    db_waited(clock_steady_us() - began_us);
    return pipeline->conn != NULL;
}

/* ---- the ring ---- */

static void add_sent(struct pipeline *pipeline, enum sent_kind kind, unsigned *prepared)
{
    pipeline->ring[(pipeline->first + pipeline->count) % PENDING_MOST] =
        (struct sent){ .kind = kind, .prepared = prepared };
    pipeline->count++;
}

static void note_changes(struct pipeline *pipeline, PGresult *result)
{
    const char *status = libpq.PQcmdStatus(result);

    if (strncmp(status, "INSERT", 6) == 0 || strncmp(status, "UPDATE", 6) == 0 ||
        strncmp(status, "DELETE", 6) == 0)
        pipeline->changes = strtoll(libpq.PQcmdTuples(result), NULL, 10);
}

/* Whether the result is of something that was done. */
static bool take_result(struct pipeline *pipeline, const struct sent *sent, PGresult *result)
{
    switch (libpq.PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        if (sent->kind == SENT_RUN)
            note_changes(pipeline, result);
        return true;
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED: /* an earlier one's error is known */
        return false;
    default:
        note_error(pipeline, result);
        return false;
    }
}

/* Takes the oldest entry's answer, which is waited for.  Its rows, or NULL. */
static PGresult *take_oldest(struct pipeline *pipeline)
{
    if (!wait_for_answer(pipeline))
        return NULL;
    const struct sent sent = pipeline->ring[pipeline->first];
    PGresult *result = libpq.PQgetResult(pipeline->conn);
    if (result == NULL) {
        lose(pipeline, "an answer is missing");
        return NULL;
    }
    bool done = take_result(pipeline, &sent, result);
    if (sent.changes != NULL && done)
        *sent.changes = pipeline->changes;
    if (sent.kind == SENT_PREPARE)
        *sent.prepared = done ? pipeline->generation : 0;
    pipeline->first = (pipeline->first + 1) % PENDING_MOST;
    pipeline->count--;
    if (sent.kind != SENT_SYNC && wait_for_answer(pipeline))
        libpq.PQclear(libpq.PQgetResult(pipeline->conn));
    if (pipeline->conn != NULL && libpq.PQstatus(pipeline->conn) == CONNECTION_BAD)
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
    if (done)
        return result;
    libpq.PQclear(result);
    return NULL;
}

/* What has come already. */
static void take_what_is_there(struct pipeline *pipeline)
{
    if (pipeline->conn != NULL && libpq.PQconsumeInput(pipeline->conn) == 0)
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
    while (pipeline->count > 0 && !libpq.PQisBusy(pipeline->conn))
        libpq.PQclear(take_oldest(pipeline));
}

static void take_all(struct pipeline *pipeline)
{
    while (pipeline->count > 0)
        libpq.PQclear(take_oldest(pipeline));
}

/* Whether the next may be sent. */
static bool ready(struct pipeline *pipeline)
{
    if (pipeline_failed(pipeline))
        return false;
    if (pipeline->count % FLUSH_EVERY == FLUSH_EVERY - 1) {
        libpq.PQsendFlushRequest(pipeline->conn);
        push(pipeline);
        take_what_is_there(pipeline);
    }
    if (pipeline->count >= PENDING_MOST - 2) { /* room for a sync point */
        libpq.PQsendFlushRequest(pipeline->conn);
        take_all(pipeline);
    }
    return !pipeline->failed;
}

static void note_sent(struct pipeline *pipeline, int sent, enum sent_kind kind, unsigned *prepared)
{
    if (sent == 1)
        add_sent(pipeline, kind, prepared);
    else
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
}

/* ---- sending ---- */

void pipeline_prepare(struct pipeline *pipeline, const char *name, const char *sql, int count,
                      const Oid *types, unsigned *prepared)
{
    if (!ready(pipeline))
        return;
    *prepared = pipeline->generation; /* so that it is not sent twice before the answer comes */
    note_sent(pipeline, libpq.PQsendPrepare(pipeline->conn, name, sql, count, types), SENT_PREPARE,
              prepared);
}

static const int binary[] = { [0 ... POSTGRES_PARAMETERS_MOST - 1] = 1 };

void pipeline_run(struct pipeline *pipeline, const char *name, const struct pipeline_values *with)
{
    if (ready(pipeline))
        note_sent(pipeline,
                  libpq.PQsendQueryPrepared(pipeline->conn, name, with->count, with->values,
                                            with->lengths, binary, 1),
                  SENT_RUN, NULL);
}

void pipeline_run_text(struct pipeline *pipeline, const char *sql,
                       const struct pipeline_values *with)
{
    if (ready(pipeline))
        note_sent(pipeline,
                  libpq.PQsendQueryParams(pipeline->conn, sql, with->count, with->types,
                                          with->values, with->lengths, binary, 1),
                  SENT_RUN, NULL);
}

PGresult *pipeline_rows(struct pipeline *pipeline)
{
    PGresult *last = NULL;

    if (pipeline_failed(pipeline) || pipeline->count == 0)
        return NULL;
    if (libpq.PQsendFlushRequest(pipeline->conn) == 0) {
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
        return NULL;
    }
    pipeline->may_stop = true;
    while (pipeline->count > 0) {
        libpq.PQclear(last);
        last = take_oldest(pipeline);
    }
    pipeline->may_stop = false;
    if (!pipeline->failed)
        return last;
    libpq.PQclear(last);
    return NULL;
}

void pipeline_settle(struct pipeline *pipeline)
{
    if (pipeline->conn == NULL)
        return;
    note_sent(pipeline, libpq.PQpipelineSync(pipeline->conn), SENT_SYNC, NULL);
    take_all(pipeline);
}

bool pipeline_idle(const struct pipeline *pipeline)
{
    return pipeline->count == 0;
}

int64_t pipeline_changes(const struct pipeline *pipeline)
{
    return pipeline->changes;
}

void pipeline_changes_into(struct pipeline *pipeline, int64_t *changes)
{
    if (pipeline->count == 0)
        *changes = pipeline_failed(pipeline) ? 0 : pipeline->changes;
    else
        pipeline->ring[(pipeline->first + pipeline->count - 1) % PENDING_MOST].changes = changes;
}

/* ---- the connection ---- */

struct pipeline *pipeline_new(const char *uri, const char *password_file, int answer_ms)
{
    struct pipeline *pipeline = must_alloc(sizeof(*pipeline));
    *pipeline = (struct pipeline){
        .uri = must_copy(uri),
        .password_file = password_file != NULL ? must_copy(password_file) : NULL,
        .answer_ms = answer_ms,
    };
    return pipeline;
}

/* Without it a server that tells something would write to our standard error. */
static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* `password`: NULL: as libpq finds it. */
static PGconn *connect_to(const char *uri, const char *password)
{
    /* what stands before the URI it may change, what stands behind it it may not */
    static const char *const names[] = { "application_name",
                                         "connect_timeout",
                                         "target_session_attrs",
                                         "tcp_user_timeout",
                                         "keepalives_idle",
                                         "keepalives_interval",
                                         "keepalives_count",
                                         "dbname",
                                         "client_encoding",
                                         "password",
                                         NULL };
    const char *const values[] = { "postbackd", "5", "read-write", "10000",  "5", "3",
                                   "3",         uri, "UTF8",       password, NULL };
    return libpq.PQconnectdbParams(names, values, 1);
}

static bool connect_now(struct pipeline *pipeline)
{
    struct buf password = { 0 };
    struct error error = { 0 };

    if (pipeline->password_file != NULL &&
        !postgres_password(&password, pipeline->password_file, &error)) {
        lose(pipeline, error.message);
        return false;
    }
    pipeline->conn = connect_to(pipeline->uri, password.len > 0 ? buf_text(&password) : NULL);
    buf_wipe(&password);
    if (pipeline->conn == NULL)
        die("no memory for a connection to PostgreSQL");
    if (libpq.PQstatus(pipeline->conn) != CONNECTION_OK)
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
    return pipeline->conn != NULL;
}

bool pipeline_script(struct pipeline *pipeline, const char *sql)
{
    if (pipeline_failed(pipeline))
        return false;
    if (libpq.PQexitPipelineMode(pipeline->conn) != 1 ||
        libpq.PQsetnonblocking(pipeline->conn, 0) != 0) {
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
        return false;
    }
    PGresult *result = libpq.PQexec(pipeline->conn, sql);
    ExecStatusType status = libpq.PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        note_error(pipeline, result);
    libpq.PQclear(result);
    if (libpq.PQsetnonblocking(pipeline->conn, 1) != 0 ||
        libpq.PQenterPipelineMode(pipeline->conn) != 1)
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
    return !pipeline->failed;
}

bool pipeline_connect(struct pipeline *pipeline, const char *set_up)
{
    pipeline_close(pipeline);
    pipeline_forget(pipeline);
    if (!connect_now(pipeline))
        return false;
    libpq.PQsetNoticeReceiver(pipeline->conn, ignore_notice, NULL);
    if (libpq.PQenterPipelineMode(pipeline->conn) != 1)
        lose(pipeline, libpq.PQerrorMessage(pipeline->conn));
    else if (!pipeline_script(pipeline, set_up))
        pipeline_close(pipeline);
    pipeline->generation++;
    return pipeline_up(pipeline);
}

bool pipeline_up(const struct pipeline *pipeline)
{
    return pipeline->conn != NULL;
}

static bool can_be_read(struct pipeline *pipeline)
{
    struct pollfd socket = { .fd = libpq.PQsocket(pipeline->conn), .events = POLLIN };
    return poll(&socket, 1, 0) != 0;
}

bool pipeline_stands(struct pipeline *pipeline)
{
    while (pipeline->conn != NULL && can_be_read(pipeline))
        if (libpq.PQconsumeInput(pipeline->conn) != 1 ||
            libpq.PQstatus(pipeline->conn) != CONNECTION_OK)
            pipeline_close(pipeline);
    return pipeline_up(pipeline);
}

int pipeline_socket(const struct pipeline *pipeline)
{
    return pipeline->conn != NULL ? libpq.PQsocket(pipeline->conn) : -1;
}

bool pipeline_notified(struct pipeline *pipeline)
{
    bool others = false;
    PGnotify *notification;
    if (!pipeline_stands(pipeline))
        return false;
    while ((notification = libpq.PQnotifies(pipeline->conn)) != NULL) {
        others = others || notification->be_pid != libpq.PQbackendPID(pipeline->conn);
        libpq.PQfreemem(notification);
    }
    return others;
}

unsigned pipeline_generation(const struct pipeline *pipeline)
{
    return pipeline->generation;
}

void pipeline_watch(struct pipeline *pipeline, bool (*stop)(void *context), void *context)
{
    pipeline->stop = stop;
    pipeline->stop_context = context;
}

void pipeline_close(struct pipeline *pipeline)
{
    libpq.PQfinish(pipeline->conn);
    pipeline->conn = NULL;
    pipeline->first = pipeline->count = 0;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    pipeline_close(pipeline);
    explicit_bzero(pipeline->uri, strlen(pipeline->uri)); /* it may hold a password */
    free(pipeline->uri);
    free(pipeline->password_file);
    free(pipeline);
}
