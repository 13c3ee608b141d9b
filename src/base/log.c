/* log.c — one line an event, built whole, so that threads never mix lines.
 *
 * A line is built in a bounded buffer on the stack; what does not fit is cut.  Text values that
 * hold anything but plain visible ASCII are quoted and escaped.  How it gets out is log_queue.c's.
 */
#include "base/log.h"

#include "base/log_queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static enum log_level least_level = LOG_INFO;
static bool as_json;

struct line {
    char text[2048];
    size_t len;
};

void log_setup(enum log_level least, bool json)
{
    least_level = least;
    as_json = json;
}

static void put(struct line *line, const char *text, size_t len)
{
    size_t room = sizeof(line->text) - 4 - line->len; /* leaves place for the line's end */
    if (len > room)
        len = room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\' || *text == '=')
            return true;
    return false;
}

static void put_quoted(struct line *line, const char *text)
{
    put_text(line, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[8];
        if (c == '"' || c == '\\')
            snprintf(escaped, sizeof(escaped), "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            snprintf(escaped, sizeof(escaped), "\\u%04x", c);
        else
            snprintf(escaped, sizeof(escaped), "%c", c);
        put_text(line, escaped);
    }
    put_text(line, "\"");
}

static void put_value(struct line *line, const struct log_value *value)
{
    if (value->text == NULL) {
        char number[24];
        snprintf(number, sizeof(number), "%lld", (long long)value->number);
        put_text(line, number);
    } else if (as_json || needs_quotes(value->text)) {
        put_quoted(line, value->text);
    } else {
        put_text(line, value->text);
    }
}

static void put_head(struct line *line, enum log_level level, const char *event)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    struct timeval now;
    struct tm utc;
    char stamp[40], head[160];
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(head, sizeof(head),
             as_json ? "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"event\":\"%s\""
                     : "%s.%03dZ %s %s",
             stamp, (int)(now.tv_usec / 1000), names[level], event);
    put_text(line, head);
}

static void build(struct line *line, enum log_level level, const char *event,
                  const struct log_field *fields, unsigned count)
{
    line->len = 0;
    put_head(line, level, event);
    for (unsigned i = 0; i < count; i++) {
        put_text(line, as_json ? ",\"" : " ");
        put_text(line, fields[i].name);
        put_text(line, as_json ? "\":" : "=");
        put_value(line, &fields[i].value);
    }
    if (as_json)
        line->text[line->len++] = '}';
    line->text[line->len++] = '\n';
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count)
{
    if (level < least_level)
        return;
    struct line line;
    build(&line, level, event, fields, count);
    log_queue_put(line.text, line.len, level >= LOG_WARN);
}

/* ---- a thread for it ---- */

static size_t confess(char *out, size_t size, int64_t dropped)
{
    const struct log_field field = LOG_N("lines", dropped);
    struct line line;
    build(&line, LOG_WARN, "log_dropped", &field, 1);
    size_t len = line.len < size ? line.len : size;
    memcpy(out, line.text, len);
    return len;
}

void log_start(void)
{
    if (!log_queue_start(confess))
        log_warn("the log has no thread of its own: a reader that stands still stops the server",
                 LOG_T("reason", strerror(errno)));
}

void log_flush(void)
{
    log_queue_flush(LOG_FLUSH_MS);
}

void log_stop(void)
{
    log_queue_stop(LOG_FLUSH_MS);
}

int64_t log_dropped(void)
{
    return log_queue_dropped();
}
