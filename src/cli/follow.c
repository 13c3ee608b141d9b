/* follow.c — asks for the maintenance's state twice a second while it catches up, and shows it: a
 * progress bar that is drawn over itself on a terminal, a line for each change elsewhere. */
#include "cli/follow.h"

#include "base/buf.h"
#include "base/text.h"
#include "cli/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 30, ASK_EVERY_MS = 500 };

struct view {
    bool terminal;
    bool drawn;       /* a bar stands in the last line */
    struct buf shown; /* the last line */
};

static const char *text_of(const json_t *from, const char *name)
{
    const char *text = json_string_value(json_object_get(from, name));
    return text != NULL ? text : "";
}

static int64_t number_of(const json_t *from, const char *name)
{
    int64_t number = 0;
    return text_int(text_of(from, name), 0, INT64_MAX, &number) ? number : 0;
}

static bool is_catching_up(const json_t *status)
{
    const char *state = text_of(status, "State");
    return strcmp(state, "ENDING") == 0 || strcmp(state, "CATCHING_UP") == 0;
}

static int percent(const json_t *catchup)
{
    int64_t total = number_of(catchup, "Total"), done = number_of(catchup, "Done");
    return total > 0 ? (int)((double)done * 100 / (double)total) : 100;
}

static void write_bar(struct buf *out, int share)
{
    buf_char(out, '[');
    for (int i = 0; i < BAR; i++)
        buf_char(out, i < share * BAR / 100 ? '#' : '.');
    buf_str(out, "] ");
}

static void write_catchup(struct buf *out, const json_t *catchup)
{
    buf_fmt(out, "%s of %s (%d %%)", text_of(catchup, "Done"), text_of(catchup, "Total"),
            percent(catchup));
    if (*text_of(catchup, "ExpectedEnd") != '\0')
        buf_fmt(out, ", %s/s, done by %s", text_of(catchup, "Rate"),
                text_of(catchup, "ExpectedEnd"));
    if (number_of(catchup, "WaitingForReceivers") > 0)
        buf_fmt(out, "; %s more wait for receivers that are down",
                text_of(catchup, "WaitingForReceivers"));
}

static void write_line(struct buf *out, const json_t *status, bool bar)
{
    const char *state = text_of(status, "State");
    const json_t *catchup = json_object_get(status, "CatchUp");
    if (is_catching_up(status)) {
        if (bar)
            write_bar(out, percent(catchup));
        buf_str(out, "catching up: ");
        write_catchup(out, catchup);
    } else if (strcmp(state, "OFF") == 0) {
        buf_str(out, "off");
        if (*text_of(status, "EndDate") != '\0')
            buf_fmt(out, "; the last one ended at %s, caught up: ", text_of(status, "EndDate"));
        if (*text_of(status, "EndDate") != '\0')
            write_catchup(out, catchup);
    } else if (strcmp(state, "SCHEDULED") == 0) {
        buf_fmt(out, "scheduled for %s", text_of(status, "StartDate"));
    } else {
        buf_fmt(out, "%s since %s; %s postbacks wait", strcmp(state, "ON") == 0 ? "on" : "starting",
                text_of(status, "StartedDate"), text_of(status, "Waiting"));
        if (*text_of(status, "ExpectedEndDate") != '\0')
            buf_fmt(out, "; expected to end at %s", text_of(status, "ExpectedEndDate"));
    }
}

static void show(struct view *view, const json_t *status)
{
    struct buf line = { 0 };
    bool bar = view->terminal && is_catching_up(status);
    write_line(&line, status, bar);
    if (strcmp(buf_text(&line), buf_text(&view->shown)) != 0) {
        printf("%s%s%s", view->drawn ? "\r\033[K" : "", buf_text(&line), bar ? "" : "\n");
        fflush(stdout);
        view->drawn = bar;
    }
    buf_free(&view->shown);
    view->shown = line;
}

/* The exit code; -1: ask again. */
static int ask(struct http *http, const char *credentials, struct view *view, bool once)
{
    struct error error = { 0 };
    json_t *status = NULL;
    int code = http_call(http, credentials, "GET", "/Operator/Maintenance", NULL, &status, &error);
    bool good = code == 200 && status != NULL;
    if (code == -1)
        fprintf(stderr, "postbackd admin: %s\n", error.message);
    else if (!good)
        fprintf(stderr, "postbackd admin: %d: %s\n", code, text_of(status, "Message"));
    else
        show(view, status);
    bool again = good && !once && is_catching_up(status);
    json_decref(status);
    return again ? -1 : good ? 0 : 1;
}

static bool read_words(int argc, char **argv, bool *once)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--once") == 0 || strcmp(argv[i], "Follow=no") == 0)
            *once = true;
        else if (strcmp(argv[i], "Follow=yes") != 0)
            return false;
    }
    return true;
}

int follow_maintenance(const char *url, const char *ca_file, const char *credentials, int argc,
                       char **argv)
{
    const struct timespec pause = { .tv_nsec = ASK_EVERY_MS * 1000000L };
    struct view view = { .terminal = isatty(STDOUT_FILENO) == 1 };
    struct error error = { 0 };
    struct http http;
    uv_loop_t loop;
    bool once = false;
    int code = 1;
    if (!read_words(argc, argv, &once)) {
        fprintf(stderr, "usage: postbackd admin maintenance status [--once | Follow=no]\n");
        return 2;
    }
    uv_loop_init(&loop);
    if (http_open(&http, &loop, url, ca_file, &error)) {
        while ((code = ask(&http, credentials, &view, once)) == -1)
            nanosleep(&pause, NULL);
        http_close(&http);
    } else {
        fprintf(stderr, "postbackd admin: %s\n", error.message);
    }
    if (view.drawn)
        printf("\n");
    buf_free(&view.shown);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return code;
}
