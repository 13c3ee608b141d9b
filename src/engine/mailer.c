/* mailer.c — takes letters that are due, runs the program for each, and records how it ended.
 *
 * A run is one process: its message is written to its standard input by the loop, and it has
 * RUN_MS to take it and end, which is less than a letter stays taken.  No more letters are taken
 * than can be run at once, so none waits here for longer than that.  The mailer itself lives until
 * its last run is closed.
 *
 * The rule: no letter's text ever becomes part of a command line.
 */
#include "engine/mailer.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "model/mail.h"
#include "store/letters.h"

#include <signal.h>
#include <stdlib.h>

enum {
    RUNS_MOST = 4,
    RUN_MS = 60000,
    RETRY_MS = 1000,     /* while the store takes no writes, or the duty is another server's */
    LOOK_MOST_MS = 60000 /* on a database that others share: letters that no news told of */
};
_Static_assert((int)RUN_MS < (int)LETTER_TAKEN_MS, "a letter stays taken while its program runs");

struct mailer {
    struct work *work;
    char *path;
    struct periodic *timer; /* runs: letters are being taken */
    struct list runs;
    size_t running;
    bool freed;
};

struct run {
    struct mailer *mailer;
    struct list in;
    int64_t letter;
    int tries;
    struct buf message;
    uv_process_t process;
    uv_pipe_t input;
    uv_timer_t limit;
    uv_write_t write;
    int handles; /* open */
    bool closing;
    bool took;       /* the program, the letter; or it is one for nobody */
    bool unrecorded; /* the job failed: again soon */
};

/* ---- the end of a run ---- */

struct record_job {
    struct service_job job;
    struct run *run; /* the mailer's; it stays until the job is done */
    bool given_up;
};

static void run_free(struct run *run)
{
    list_remove(&run->in);
    buf_free(&run->message);
    run->mailer->running--;
    free(run);
}

static bool record_run(struct job *job, struct db *db)
{
    struct record_job *record = (struct record_job *)job;
    record->given_up = false;
    if (record->run->took)
        letter_taken(db, record->run->letter);
    else
        record->given_up = !letter_refused(db, record->run->letter, record->run->tries);
    return true;
}

static void record_done(struct job *job, bool ok)
{
    struct record_job *record = (struct record_job *)job;
    struct mailer *mailer = work_done(job);
    struct run *run = record->run;
    if (ok && record->given_up)
        log_warn("mail_dropped", LOG_N("letters", 1));
    run->unrecorded = !ok;
    if (ok)
        run_free(run);
    periodic_in(mailer->timer, ok ? 0 : RETRY_MS);
    free(record);
}

static void record(struct run *run)
{
    struct record_job *job =
        work_add(run->mailer->work, run->mailer, sizeof(*job), record_run, record_done);
    job->run = run;
    run->unrecorded = false;
    work_write(&job->job);
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
    struct mailer *mailer = run->mailer;
    if (--run->handles > 0)
        return;
    if (!mailer->freed) {
        record(run);
        return;
    }
    run_free(run);
    free_if_done(mailer);
}

static void close_run(struct run *run)
{
    if (run->closing || run->handles == 0)
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
    run->took = status == 0 && signal_number == 0;
    if (!run->took)
        log_warn("mail_not_sent", LOG_T("mailer", run->mailer->path), LOG_N("exit", status),
                 LOG_N("signal", signal_number), LOG_N("tries", run->tries));
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

static void run_start(struct run *run)
{
    struct mailer *mailer = run->mailer;
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
    run->handles = 3;
    run->process.data = run->input.data = run->limit.data = run->write.data = run;
    uv_pipe_init(mailer->work->loop, &run->input, 0);
    uv_timer_init(mailer->work->loop, &run->limit);
    int code = uv_spawn(mailer->work->loop, &run->process, &options);
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

/* ---- taking letters ---- */

static void run_letter(struct mailer *mailer, const struct letter *letter)
{
    struct run *run = must_alloc(sizeof(*run));
    *run = (struct run){ .mailer = mailer, .letter = letter->id, .tries = letter->tries };
    list_append(&mailer->runs, &run->in);
    mailer->running++;
    if (mail_write(&run->message, letter)) {
        run_start(run);
        return;
    }
    log_warn("mail_refused", LOG_T("reason", "its address is none that is taken today"));
    run->took = true;
    record(run);
}

struct take_job {
    struct service_job job;
    size_t most, dropped;
    struct list letters;
    int64_t next_due;
};

static bool take_run(struct job *job, struct db *db)
{
    struct take_job *take = (struct take_job *)job;
    letters_free(&take->letters);
    take->dropped = letters_drop(db);
    letters_take(db, take->most, &take->letters, &take->next_due);
    return true;
}

/* When to look again, if nothing is heard until then. */
static void look_at(struct mailer *mailer, int64_t next_due)
{
    int64_t wait = next_due == INT64_MAX ? INT64_MAX : next_due - clock_due_ms();
    if (membership_shared(mailer->work->membership) && wait > LOOK_MOST_MS)
        wait = LOOK_MOST_MS;
    if (wait != INT64_MAX)
        periodic_in(mailer->timer, wait);
}

static void take_done(struct job *job, bool ok)
{
    struct take_job *take = (struct take_job *)job;
    struct mailer *mailer = work_done(job);
    struct list *node;
    periodic_done(mailer->timer);
    if (ok && take->dropped > 0)
        log_warn("mail_dropped", LOG_N("letters", (int64_t)take->dropped));
    while (ok && (node = list_first(&take->letters)) != NULL) {
        struct letter *letter = container_of(node, struct letter, in);
        list_remove(node);
        run_letter(mailer, letter);
        letter_free(letter);
    }
    letters_free(&take->letters);
    if (!ok)
        periodic_in(mailer->timer, RETRY_MS);
    else if (mailer->running < RUNS_MOST) /* else the end of a run asks */
        look_at(mailer, take->next_due);
    free(take);
}

static bool all_recorded(struct mailer *mailer)
{
    bool all = true;
    for (struct list *node = mailer->runs.next; node != &mailer->runs; node = node->next) {
        struct run *run = container_of(node, struct run, in);
        if (run->unrecorded)
            record(run);
        all = all && !run->unrecorded;
    }
    return all;
}

static void look(void *context)
{
    struct mailer *mailer = context;
    if (mailer->path == NULL)
        return;
    if (!mailer->work->writable || !work_on_duty(mailer->work) || !all_recorded(mailer)) {
        periodic_in(mailer->timer, RETRY_MS);
        return;
    }
    if (mailer->running >= RUNS_MOST)
        return;
    struct take_job *take = work_add(mailer->work, mailer, sizeof(*take), take_run, take_done);
    take->most = RUNS_MOST - mailer->running;
    list_init(&take->letters);
    periodic_begin(mailer->timer);
    work_write(&take->job);
}

void mailer_wanted(struct mailer *mailer)
{
    if (mailer->path != NULL)
        periodic_in(mailer->timer, 0);
}

bool mailer_runs(const struct mailer *mailer)
{
    return mailer->running > 0;
}

/* ---- life ---- */

struct mailer *mailer_new(struct work *work, const char *path)
{
    struct mailer *mailer = must_alloc(sizeof(*mailer));
    *mailer = (struct mailer){ .work = work, .path = must_copy(path) };
    list_init(&mailer->runs);
    mailer->timer = periodic_new(&work->timers, 0, look, mailer);
    mailer_wanted(mailer); /* what the last run of this server has left */
    return mailer;
}

void mailer_free(struct mailer *mailer)
{
    struct list *node, *next;
    if (mailer == NULL)
        return;
    periodic_free(mailer->timer);
    mailer->freed = true;
    for (node = mailer->runs.next; node != &mailer->runs; node = next) {
        struct run *run = container_of(node, struct run, in);
        next = node->next;
        if (run->handles == 0) /* it could not be recorded */
            run_free(run);
        else
            close_run(run);
    }
    free_if_done(mailer);
}
