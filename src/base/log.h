/* log.h — one line an event, to standard error, as text or JSON.
 *
 * log_info("listening", LOG_T("address", "127.0.0.1"), LOG_N("port", 8080)) writes
 *     2026-11-23T18:40:17.123Z info listening address=127.0.0.1 port=8080
 * Values are escaped, so outside bytes can forge no line.  Secrets are never passed in.
 * Safe from any thread.
 *
 * From log_start() on nobody waits for standard error: lines stand in a bounded queue (256 KiB)
 * from which a thread writes them.  When it is full lines are dropped, those of info and debug
 * first; once it flows again one line, log_dropped, says how many were.
 */
#ifndef POSTBACKD_LOG_H
#define POSTBACKD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_value {
    const char *text; /* NULL: number */
    int64_t number;
};

#define LOG_TEXT(t) ((struct log_value){ .text = (t) != NULL ? (t) : "" })
#define LOG_INT(n)  ((struct log_value){ .number = (n) })

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name;
    struct log_value value;
};

void log_setup(enum log_level least, bool json);
void log_start(void);
/* Waits until what was said is written, for LOG_FLUSH_MS at most: before the program ends. */
enum { LOG_FLUSH_MS = 1000 };
void log_flush(void);
void log_stop(void);       /* the same, and ends the thread */
int64_t log_dropped(void); /* lines, since the start */

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count);

#define LOG_FIELDS(...)                                                                            \
    (const struct log_field[]){ __VA_ARGS__ },                                                     \
        sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field)
#define log_debug(event, ...) log_event(LOG_DEBUG, event, LOG_FIELDS(__VA_ARGS__))
#define log_info(event, ...)  log_event(LOG_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_warn(event, ...)  log_event(LOG_WARN, event, LOG_FIELDS(__VA_ARGS__))
#define log_error(event, ...) log_event(LOG_ERROR, event, LOG_FIELDS(__VA_ARGS__))

/* clang-format off */
#define LOG_T(name, t) { (name), LOG_TEXT(t) }
#define LOG_N(name, n) { (name), LOG_INT(n) }
/* clang-format on */

#endif
