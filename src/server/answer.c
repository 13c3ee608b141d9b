/* answer.c — a call's answer: its body, its headers, and the one shape of every error.
 *
 * An answer is given once; a second one is a bug of the handler.  Error messages of the kind
 * ERROR_BROKEN are for the log: the client learns only that something broke.
 */
#include "server/inbound.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char JSON_TYPE[] = "application/json; charset=utf-8";

/* RFC 9110 §5.6.7; made once a second. */
static const char *date_now(struct server *server)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm at;
    if (now != server->date_s) {
        static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        gmtime_r(&now, &at);
        snprintf(server->date, sizeof(server->date), "%s, %02d %s %d %02d:%02d:%02d GMT",
                 days[at.tm_wday], at.tm_mday, months[at.tm_mon], at.tm_year + 1900, at.tm_hour,
                 at.tm_min, at.tm_sec);
        server->date_s = now;
    }
    return server->date;
}

#define ADD(out, literal) buf_add(out, literal, sizeof(literal) - 1)

bool answer_head(const struct inbound *in, struct buf *out)
{
    bool bodiless = in->status == 204; /* RFC 9110 §8.6 */
    ADD(out, "HTTP/1.1 ");
    buf_int(out, in->status);
    buf_char(out, ' ');
    buf_str(out, http_status_str((enum http_status)in->status));
    ADD(out, "\r\nDate: ");
    buf_str(out, date_now(in->server));
    if (!bodiless) {
        ADD(out, "\r\nContent-Type: ");
        buf_str(out, in->type);
        if (in->pieces.chunked) {
            ADD(out, "\r\nTransfer-Encoding: chunked");
        } else if (in->stage != STAGE_PIECES || in->pieces.last) {
            ADD(out, "\r\nContent-Length: ");
            buf_int(out, (int64_t)in->content_len);
        }
    }
    ADD(out, "\r\nX-Content-Type-Options: nosniff\r\n");
    if (!in->lasting) /* data: nothing for caches */
        ADD(out, "Cache-Control: no-store\r\n");
    buf_str(out, in->server->further);
    buf_add(out, buf_text(&in->headers), in->headers.len);
    if (!in->keep)
        ADD(out, "Connection: close\r\n");
    else if (in->head.version == 10)
        ADD(out, "Connection: keep-alive\r\n");
    ADD(out, "\r\n");
    return !bodiless && in->status != 304 && strcmp(in->call.method, "HEAD") != 0;
}

/* The content is `owned`, or `lasting`, or the caller's. */
static void answer(struct call *call, int status, const char *type, const char *content, size_t len,
                   char *owned, bool lasting)
{
    struct inbound *in = inbound_of(call);
    if (in->stage == STAGE_PIECES && !in->pieces.begun) { /* in place of the first piece */
        in->status = status;
        in->type = type;
        call_piece(call, content, len, true);
        free(owned);
        return;
    }
    if (in->answered || in->stage == STAGE_DONE || in->stage == STAGE_HEAD)
        bug("%s %s is answered twice", call->method, call->target);
    if (owned == NULL && !lasting && in->stage != STAGE_HANDLING)
        content = owned = must_copy_bytes(content, len); /* it goes out later */
    if (call->answered != NULL)
        call->answered(call, status, content, len);
    in->answered = true;
    in->status = status;
    in->type = type;
    in->content = content;
    in->content_len = len;
    in->owned = owned;
    in->lasting = lasting;
    inbound_answered(in);
}

void call_add_header(struct call *call, const char *name, const char *value)
{
    struct buf *headers = &inbound_of(call)->headers;
    if (strpbrk(name, "\r\n: ") != NULL || strpbrk(value, "\r\n") != NULL)
        bug("the header %s cannot be sent", name);
    buf_str(headers, name);
    ADD(headers, ": ");
    buf_str(headers, value);
    ADD(headers, "\r\n");
}

void call_json_answer(struct call *call, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        die("out of memory for an answer");
    answer(call, status, JSON_TYPE, text, strlen(text), text, false);
}

void call_text_answer(struct call *call, int status, const char *type, const char *text, size_t len)
{
    answer(call, status, type, text, len, NULL, false);
}

void call_static_answer(struct call *call, int status, const char *type, const void *bytes,
                        size_t len)
{
    answer(call, status, type, bytes, len, NULL, true);
}

json_t *call_string(const char *text)
{
    json_t *string = json_string(text);
    if (string != NULL)
        return string;
    char *plain = must_copy(text);
    for (char *at = plain; *at != '\0'; at++) {
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    }
    string = json_string(plain);
    free(plain);
    return string;
}

void call_ok(struct call *call, const char *uri_format, ...)
{
    struct buf uri = { 0 };
    va_list args;
    va_start(args, uri_format);
    buf_vfmt(&uri, uri_format, args);
    va_end(args);
    json_t *body = json_object();
    json_object_set_new(body, "Status", json_string("OK"));
    json_object_set_new(body, "Uri", call_string(buf_text(&uri)));
    buf_free(&uri);
    call_json_answer(call, 200, body);
}

json_t *call_error_body(const struct problems *problems, const char *message)
{
    json_t *body = json_object(), *errors = json_array();
    json_object_set_new(body, "Status", json_string("ERROR"));
    json_object_set_new(body, "Message", call_string(message));
    for (size_t i = 0; problems != NULL && i < problems->count; i++) {
        json_t *item = json_object();
        json_object_set_new(item, "Field", call_string(problems->items[i].field));
        json_object_set_new(item, "Message", call_string(problems->items[i].message));
        json_array_append_new(errors, item);
    }
    json_object_set_new(body, "Errors", errors);
    return body;
}

void call_refuse(struct call *call, int status, const struct problems *problems, const char *format,
                 ...)
{
    struct buf message = { 0 };
    va_list args;
    va_start(args, format);
    buf_vfmt(&message, format, args);
    va_end(args);
    json_t *body = call_error_body(problems, buf_text(&message));
    buf_free(&message);
    call_json_answer(call, status, body);
}

void call_refuse_error(struct call *call, const struct error *error,
                       const struct problems *problems)
{
    static const struct {
        int status;
        const char *message; /* when the error has none */
        const char *retry_s; /* Retry-After; NULL: it would be the same again */
    } by_kind[] = {
        [ERROR_NONE] = { 400, "The request is not valid." },
        [ERROR_INVALID] = { 400, "The request is not valid." },
        [ERROR_FORBIDDEN] = { 403, "This is not allowed." },
        [ERROR_NOT_FOUND] = { 404, "There is nothing at this address." },
        [ERROR_CONFLICT] = { 409, "This cannot be done now." },
        [ERROR_TOO_MANY] = { 429, "There are too many calls; try again later.", "1" },
        [ERROR_UNAVAILABLE] = { 503, "The server cannot take this now; try again later.", "1" },
        [ERROR_QUOTA] = { 503, "Too much waits to be delivered; try again later.", "30" },
        [ERROR_BROKEN] = { 500, "The server failed; its log says why." },
        [ERROR_DAMAGED] = { 500, "What this needs lies in a damaged part of the store; all else is "
                                 "served. The operator finds it with `postbackd check`." },
    };
    int status = by_kind[error->kind].status;
    const char *message = error->message;
    if (error->kind == ERROR_BROKEN)
        log_error("call failed", LOG_T("method", call->method), LOG_T("path", call->path),
                  LOG_T("error", error->message));
    if (message[0] == '\0' || error->kind == ERROR_BROKEN)
        message = by_kind[error->kind].message;
    json_t *body = call_error_body(problems, message);
    if (error->link[0] != '\0')
        json_object_set_new(body, "Uri", call_string(error->link));
    if (by_kind[error->kind].retry_s != NULL)
        call_add_header(call, "Retry-After", by_kind[error->kind].retry_s);
    call_json_answer(call, status, body);
}
