/* request.c — builds one attempt's HTTP request, the busiest function of the model.
 *
 * Three buffers are written, one behind the other: the target and the body by expanding the
 * notification's templates, then the header lines, which need the body's length and signature.
 * The buffers keep their memory from one request to the next, and the event's data is taken apart
 * only when a token or a default body asks for it.
 *
 * The rules that must never break: the same inputs give the same bytes; and a request over a cap
 * is not sent at all, never cut short; nor is one whose path a value would turn elsewhere.
 */
#include "model/request.h"

#include "base/digits.h"
#include "base/text.h"
#include "model/signature.h"
#include "model/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { REQUEST_HEADERS_MAX = 128 * 1024 }; /* above what the caps of custom headers allow */

static const struct {
    enum template_place place;
    const char *content_type;
} formats[] = {
    [BODY_JSON] = { PLACE_JSON, "application/json" }, /* UTF-8 by itself: RFC 8259 §8.1, §11 */
    [BODY_XML] = { PLACE_XML, "application/xml; charset=utf-8" },
    [BODY_FORM] = { PLACE_FORM, "application/x-www-form-urlencoded" },
    [BODY_TEXT] = { PLACE_TEXT, "text/plain; charset=utf-8" },
};

static const char hidden[] = "(hidden)";

/* False with *error when the event's data is damaged or the templates' functions have too much of
 * it to read. */
static bool expand(struct request *request, const struct notification *notification,
                   const struct event *event, int64_t postback, int attempt, struct error *error)
{
    const struct notification_settings *settings = &notification->settings;
    struct points_context context = {
        .account_sid = notification->account_sid == NULL ? "" : notification->account_sid,
        .postback = postback,
        .attempt = attempt,
        .opened = &notification->opened,
    };
    struct points *points = NULL;

    if (!notification->constant) {
        points = points_new(event, &context);
        if (points == NULL) {
            error_set(error, ERROR_BROKEN, "the data of event %lld is damaged",
                      (long long)event->id);
            return false;
        }
    }
    bool within = template_expand(notification->path, points, &request->target);
    if (within && notification->body != NULL)
        within = template_expand(notification->body, points, &request->body);
    else if (notification->body == NULL && settings->method != METHOD_GET)
        template_default_body(formats[settings->format].place, points, &request->body);
    points_free(points);
    if (!within)
        error_set(error, ERROR_INVALID,
                  "the template's functions would read over %d bytes of this event's values",
                  TEMPLATE_WORK_MOST);
    return within;
}

static void add_line(struct buf *out, const char *name, const char *value)
{
    buf_str(out, name);
    buf_add(out, ": ", 2);
    buf_str(out, value);
    buf_add(out, "\r\n", 2);
}

static void add_signatures(struct request *request, const struct notification *notification,
                           const char *id, int64_t at_ms)
{
    struct buf *out = &request->headers;
    const char *body = buf_text(&request->body);
    bool old_too = notification->old_secret.len > 0 && at_ms < notification->old_secret_until;

    if (notification->secret.len == 0)
        return;
    buf_str(out, "webhook-signature: ");
    signature_add(out, &notification->secret, id, at_ms / 1000, body, request->body.len);
    if (old_too) {
        buf_char(out, ' ');
        signature_add(out, &notification->old_secret, id, at_ms / 1000, body, request->body.len);
    }
    buf_add(out, "\r\n", 2);
}

static void add_headers(struct request *request, const struct notification *notification,
                        int64_t postback, int64_t at_ms)
{
    struct buf *out = &request->headers;
    char id[DIGITS_OF_INT];
    digits_of_int(id, postback);

    buf_str(out, "Host: ");
    url_host(out, &notification->to);
    buf_str(out, "\r\nUser-Agent: postbackd/" POSTBACKD_VERSION "\r\nAccept: */*\r\n"
                 "Accept-Encoding: identity\r\n");
    add_line(out, "webhook-id", id);
    buf_str(out, "webhook-timestamp: ");
    buf_int(out, at_ms / 1000);
    buf_add(out, "\r\n", 2);
    add_signatures(request, notification, id, at_ms);
    if (notification->settings.method != METHOD_GET) {
        add_line(out, "Content-Type", formats[notification->settings.format].content_type);
        buf_str(out, "Content-Length: ");
        buf_int(out, (int64_t)request->body.len);
        buf_add(out, "\r\n", 2);
    }
    if (notification_headers_wait(notification))
        return;
    for (size_t i = 0; i < notification->header_count; i++)
        add_line(out, notification->headers[i].name, notification->headers[i].value);
}

static void start(struct buf *buf, size_t limit)
{
    buf_reset(buf);
    buf->limit = limit;
}

bool request_build(struct request *request, const struct notification *notification,
                   const struct event *event, int64_t postback, int attempt, int64_t at_ms,
                   struct error *error)
{
    start(&request->target, REQUEST_TARGET_MAX);
    start(&request->headers, REQUEST_HEADERS_MAX);
    start(&request->body, REQUEST_BODY_MAX);

    if (!expand(request, notification, event, postback, attempt, error))
        return false;
    if (request->target.failed) {
        error_set(error, ERROR_INVALID, "the URL's path and query are over %d bytes",
                  (int)REQUEST_TARGET_MAX);
        return false;
    }
    if (url_has_dot_segment(buf_text(&request->target), request->target.len)) {
        error_set(error, ERROR_INVALID,
                  "not sent: with this event's values the URL's path has a segment \".\" or \"..\" "
                  "and would lead elsewhere (%.200s)",
                  buf_text(&request->target));
        return false;
    }
    if (request->body.failed) {
        error_set(error, ERROR_INVALID, "the body is over %d bytes", (int)REQUEST_BODY_MAX);
        return false;
    }
    add_headers(request, notification, postback, at_ms);
    if (request->headers.failed) {
        error_set(error, ERROR_INVALID, "the headers are over %d bytes", (int)REQUEST_HEADERS_MAX);
        return false;
    }
    return true;
}

void request_free(struct request *request)
{
    buf_free(&request->target);
    buf_wipe(&request->headers); /* credentials and signatures */
    buf_free(&request->body);
}

/* ---- for the log ---- */

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD, byte by byte. */
static json_t *show_bytes(const char *bytes, size_t len)
{
    if (text_is_utf8(bytes, len))
        return json_stringn(bytes, len);
    struct buf out = { .limit = 3 * len };
    for (size_t at = 0; at < len;) {
        size_t step = 1, most = len - at < 4 ? len - at : 4;
        while (step <= most && !text_is_utf8(bytes + at, step))
            step++;
        if (step <= most) {
            buf_add(&out, bytes + at, step);
            at += step;
        } else {
            buf_str(&out, "\xef\xbf\xbd");
            at++;
        }
    }
    json_t *shown = json_stringn(buf_text(&out), out.len);
    buf_free(&out);
    return shown;
}

static bool is_secret(const struct notification *notification, const char *name, size_t len)
{
    if (len == strlen("webhook-signature") && strncasecmp(name, "webhook-signature", len) == 0)
        return true;
    for (size_t i = 0; i < notification->header_count; i++) {
        const char *custom = notification->headers[i].name;
        if (strlen(custom) == len && strncasecmp(custom, name, len) == 0)
            return true;
    }
    return false;
}

static json_t *show_headers(const struct notification *notification, const struct buf *lines)
{
    json_t *headers = json_array();
    const char *at = buf_text(lines), *end = at + lines->len;
    while (at < end) {
        const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (line_end == NULL || colon == NULL || colon + 2 > line_end)
            break; /* not from request_build() */
        size_t name_len = (size_t)(colon - at);
        const char *value = colon + 2;
        json_t *shown = is_secret(notification, at, name_len)
                            ? json_string(hidden)
                            : show_bytes(value, (size_t)(line_end - value));
        json_array_append_new(
            headers, json_pack("{s:o, s:o}", "Name", show_bytes(at, name_len), "Value", shown));
        at = line_end + 2;
    }
    return headers;
}

json_t *request_show(const struct notification *notification, const struct request *request)
{
    struct buf url = { .limit = 2 * REQUEST_TARGET_MAX };
    url_origin(&url, &notification->to);
    buf_add(&url, buf_text(&request->target), request->target.len);
    json_t *shown =
        json_pack("{s:s, s:o, s:o, s:o}", "Method", method_name(notification->settings.method),
                  "Url", show_bytes(buf_text(&url), url.len), "Headers",
                  show_headers(notification, &request->headers), "Body",
                  show_bytes(buf_text(&request->body), request->body.len));
    buf_free(&url);
    return shown;
}
