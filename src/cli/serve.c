/* serve.c — `postbackd serve`: the daemon.
 *
 * SIGTERM and SIGINT drain and end with 0; SIGHUP reads the settings again and takes over those
 * that can change while running.  Signals are watched from before the start until after the end, so
 * that none of them ends the process half-way.
 */
#include "base/clock.h"
#include "base/config.h"
#include "base/fail.h"
#include "base/log.h"
#include "cli/anew.h"
#include "cli/cli.h"
#include "cli/instance.h"
#include "cli/memory.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

enum {
    START_AGAIN_MS = 1000, /* a database that is away is tried again */
    START_TOLD_MS = 10000, /* … and said so */
};

struct daemon {
    struct instance instance;
    struct config config;
    int argc;
    char **argv;
    bool serving; /* started, and not yet told to stop */
    bool stopped; /* told to stop, perhaps before it has started */
    uv_signal_t signals[3];
    struct memory_watch memory;
};

static void tell_manager(const char *state)
{
#ifdef HAVE_SYSTEMD
    sd_notify(0, state);
#else
    (void)state;
#endif
}

static void setup_log(const struct config *config)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    enum log_level level = LOG_INFO;
    for (int i = 0; i < 4; i++)
        if (strcmp(config->log_level, levels[i]) == 0)
            level = (enum log_level)i;
    log_setup(level, strcmp(config->log_format, "json") == 0);
}

static void reload(struct daemon *daemon)
{
    struct config fresh;
    struct error error = { 0 };
    if (config_read(&fresh, daemon->argc, daemon->argv, &error) != 0) {
        log_error("reload_refused", LOG_T("reason", error.message));
        return;
    }
    setup_log(&fresh);
    limits_set(daemon->instance.api.limits, (int)fresh.rate_limit);
    instance_keep(&daemon->instance, &fresh);
    daemon->config.drain_s = fresh.drain_s;
    config_free(&fresh);
    log_info("reloaded",
             LOG_T("settings", "log-level log-format rate-limit keep-days give-up-after drain"));
}

static void signalled(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    if (number != SIGHUP) {
        log_info("stopping", LOG_T("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
        daemon->stopped = true;
        uv_stop(handle->loop);
    } else if (daemon->serving) {
        reload(daemon);
    }
}

static void watch_signals(struct daemon *daemon, uv_loop_t *loop)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    for (int i = 0; i < 3; i++) {
        uv_signal_init(loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        uv_signal_start(&daemon->signals[i], signalled, numbers[i]);
        uv_unref((uv_handle_t *)&daemon->signals[i]); /* they keep no loop going */
    }
}

static void unwatch_signals(struct daemon *daemon)
{
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
}

static void time_passed(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void timer_closed(uv_handle_t *timer)
{
    *(bool *)timer->data = true;
}

/* Turns the loop, for its signals, until it is time to try again.  False: it was told to stop. */
static bool rest(struct daemon *daemon, uv_loop_t *loop)
{
    bool closed = false;
    uv_timer_t timer;
    uv_timer_init(loop, &timer);
    timer.data = &closed;
    uv_timer_start(&timer, time_passed, START_AGAIN_MS, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, timer_closed);
    while (!closed)
        uv_run(loop, UV_RUN_NOWAIT);
    return !daemon->stopped;
}

/* A database that cannot be reached is waited for, as it may be the one that restarts; what is
 * wrong in any other way is refused. */
static bool start(struct daemon *daemon, uv_loop_t *loop, struct error *error)
{
    int64_t told_ms = -START_TOLD_MS;
    for (;;) {
        if (instance_start(&daemon->instance, loop, &daemon->config, error))
            return true;
        if (error->kind != ERROR_UNAVAILABLE)
            return false;
        if (clock_steady_ms() - told_ms >= START_TOLD_MS) {
            log_warn("database_awaited", LOG_T("reason", error->message));
            told_ms = clock_steady_ms();
        }
        *error = (struct error){ 0 };
        if (!rest(daemon, loop))
            return false;
    }
}

static int run(struct daemon *daemon)
{
    uv_loop_t loop;
    struct error error = { 0 };
    uv_loop_init(&loop);
    daemon->instance.kept_listener = anew_listener();
    watch_signals(daemon, &loop);
    memory_watch(&daemon->memory, &loop);
    bool started = start(daemon, &loop, &error);
    if (started) {
        daemon->serving = true;
        tell_manager("READY=1");
        if (!daemon->instance.fenced)
            uv_run(&loop, UV_RUN_DEFAULT);
        if (daemon->instance.fenced && !daemon->stopped) /* our arguments begin behind its name */
            anew_begin(daemon->argv - 1, server_listener(daemon->instance.server));
        daemon->serving = false;
        tell_manager("STOPPING=1");
        instance_stop(&daemon->instance, daemon->config.drain_s * 1000);
        log_info("stopped");
    } else if (!daemon->stopped) {
        log_error("cannot_start", LOG_T("reason", error.message));
    }
    memory_unwatch(&daemon->memory);
    unwatch_signals(daemon);
    uv_run(&loop, UV_RUN_DEFAULT); /* the last handles close */
    uv_loop_close(&loop);
    return started || daemon->stopped ? 0 : 1;
}

/* The file is not ours to change: it may be root's, and read through a group. */
static void warn_readable(const struct config *config)
{
    struct stat about;
    bool secret = (config->egress_proxy != NULL && strchr(config->egress_proxy, '@') != NULL) ||
                  (config->store != NULL && config_has_password(config->store));
    if (secret && config->file != NULL && stat(config->file, &about) == 0 &&
        (about.st_mode & S_IROTH) != 0)
        log_warn("settings_readable", LOG_T("file", config->file),
                 LOG_T("reason", "everybody on this machine can read the password in it: "
                                 "make it 0640 or 0600"));
}

int serve_command(int argc, char **argv)
{
    struct daemon daemon = { .argc = argc, .argv = argv };
    struct error error = { 0 };
    int read = config_read(&daemon.config, argc, argv, &error);
    if (read == 1) {
        struct buf help = { 0 };
        config_help(&help);
        printf("usage: postbackd serve --data DIR [settings]\n\n%s\n"
               "Each is also a variable (POSTBACKD_RATE_LIMIT) and a line of the file "
               "(rate-limit = 500);\na flag wins over a variable, a variable over the file.\n",
               buf_text(&help));
        buf_free(&help);
        return 0;
    }
    if (read == -1) {
        fprintf(stderr, "postbackd serve: %s\n", error.message);
        return 2;
    }
    if (sodium_init() == -1)
        die("libsodium cannot start: no randomness");
    setup_log(&daemon.config);
    log_start();
    warn_readable(&daemon.config);
    int code = run(&daemon);
    config_free(&daemon.config);
    log_stop();
    return code;
}
