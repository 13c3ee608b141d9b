/* mailer.c — a queue of letters and the few processes that take them.
 *
 * A run is one process: its message is written to its standard input by the loop, and it has
 * RUN_MS to take it and end.  The mailer itself lives until its last run is closed.
 *
 * The rule: no letter's text ever becomes part of a command line.
 */
#include "engine/mailer.h"

#include "base/fail.h"
#include "base/log.h"

#include <signal.h>
#include <stdlib.h>

enum { RUNS_MOST = 4, RUN_MS = 60000 };

struct mailer {
    uv_loop_t *loop;
    char *path;
    struct list queue, runs;
    size_t queued, running;
    bool freed;
};

struct run {
    struct mailer *mailer;
    struct list in;
    struct buf message;
    uv_process_t process;
    uv_pipe_t input;
    uv_timer_t limit;
    uv_write_t write;
    int handles; /* open */
    bool closing;
};

static void start_runs(struct mailer *mailer);

struct mailer *mailer_new(uv_loop_t *loop, const char *path)
{
    struct mailer *mailer = must_alloc(sizeof(*mailer));
    mailer->loop = loop;
    mailer->path = must_copy(path);
    list_init(&mailer->queue);
    list_init(&mailer->runs);
    return mailer;
}

static void free_if_done(struct mailer *mailer)
{
    if (!mailer->freed || mailer->running > 0)
        return;
    free(mailer->path);
    free(mailer);
}

/* ---- a run ---- */

static void closed(uv_handle_t *handle)
{
    struct run *run = handle->data;
    if (--run->handles > 0)
        return;
    struct mailer *mailer = run->mailer;
    list_remove(&run->in);
    buf_free(&run->message);
    free(run);
    mailer->running--;
    start_runs(mailer);
    free_if_done(mailer);
}

static void close_run(struct run *run)
{
    if (run->closing)
        return;
    run->closing = true;
    uv_close((uv_handle_t *)&run->limit, closed);
    uv_close((uv_handle_t *)&run->process, closed);
    if (!uv_is_closing((uv_handle_t *)&run->input))
        uv_close((uv_handle_t *)&run->input, closed);
}

static void ended(uv_process_t *process, int64_t status, int signal_number)
{
    struct run *run = process->data;
    if (status != 0 || signal_number != 0)
        log_warn("mail_not_sent", LOG_T("mailer", run->mailer->path), LOG_N("exit", status),
                 LOG_N("signal", signal_number));
    close_run(run);
}

static void too_late(uv_timer_t *timer)
{
    struct run *run = timer->data;
    uv_process_kill(&run->process, SIGKILL); /* ended() follows */
}

/* Closing its input tells the mailer that the message is whole. */
static void written(uv_write_t *write, int status)
{
    struct run *run = write->data;
    (void)status; /* a mailer that does not read says why by its exit code */
    if (!uv_is_closing((uv_handle_t *)&run->input))
        uv_close((uv_handle_t *)&run->input, closed);
}

static void start_run(struct mailer *mailer, struct buf *message)
{
    struct run *run = must_alloc(sizeof(*run));
    char mailer_t[] = "-t", mailer_i[] = "-i";
    char *arguments[] = { mailer->path, mailer_t, mailer_i, NULL };
    uv_stdio_container_t stdio[] = {
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&run->input },
        { .flags = UV_IGNORE },
        { .flags = UV_IGNORE },
    };
    uv_process_options_t options = {
        .exit_cb = ended, .file = mailer->path, .args = arguments, .stdio = stdio, .stdio_count = 3
    };
    run->mailer = mailer;
    run->message = *message;
    run->handles = 3;
    run->process.data = run->input.data = run->limit.data = run->write.data = run;
    list_append(&mailer->runs, &run->in);
    mailer->running++;
    uv_pipe_init(mailer->loop, &run->input, 0);
    uv_timer_init(mailer->loop, &run->limit);
    int code = uv_spawn(mailer->loop, &run->process, &options);
    if (code != 0) {
        log_warn("mailer_cannot_start", LOG_T("mailer", mailer->path),
                 LOG_T("reason", uv_strerror(code)));
        close_run(run);
        return;
    }
    uv_buf_t bytes = uv_buf_init(run->message.data, (unsigned)run->message.len);
    uv_timer_start(&run->limit, too_late, RUN_MS, 0);
    if (uv_write(&run->write, (uv_stream_t *)&run->input, &bytes, 1, written) != 0)
        uv_close((uv_handle_t *)&run->input, closed);
}

/* ---- the queue ---- */

static void start_runs(struct mailer *mailer)
{
    struct list *node;
    while (mailer->running < RUNS_MOST && (node = list_first(&mailer->queue)) != NULL) {
        struct letter *letter = container_of(node, struct letter, in);
        struct buf message = { 0 };
        list_remove(node);
        mailer->queued--;
        if (mail_write(&message, letter)) {
            start_run(mailer, &message);
        } else {
            log_warn("mail_refused", LOG_T("reason", "its address is none that is taken today"));
            buf_free(&message);
        }
        letter_free(letter);
    }
}

void mailer_send(struct mailer *mailer, struct list *letters)
{
    struct list *node;
    size_t dropped = 0;
    while (mailer->path != NULL && (node = list_first(letters)) != NULL) {
        list_remove(node);
        if (mailer->queued < MAILER_QUEUE_MOST) {
            list_append(&mailer->queue, node);
            mailer->queued++;
        } else {
            letter_free(container_of(node, struct letter, in));
            dropped++;
        }
    }
    letters_free(letters);
    if (dropped > 0)
        log_warn("mail_dropped", LOG_N("letters", (int64_t)dropped));
    start_runs(mailer);
}

void mailer_free(struct mailer *mailer)
{
    struct list *node, *next;
    letters_free(&mailer->queue);
    mailer->queued = 0;
    mailer->freed = true;
    for (node = mailer->runs.next; node != &mailer->runs; node = next) {
        next = node->next;
        close_run(container_of(node, struct run, in));
    }
    free_if_done(mailer);
}
