/* answer.c — a call's answer: its body, its headers, and the one shape of every error.
 *
 * An answer is given once; a second one is a bug of the handler.  Error messages of the kind
 * ERROR_BROKEN are for the log: the client learns only that something broke.
 */
#include "server/inbound.h"

#include "base/fail.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char JSON_TYPE[] = "application/json; charset=utf-8";

static void header_set(struct MHD_Response *response, const char *name, const char *value)
{
    errno = 0;
    if (MHD_add_response_header(response, name, value) == MHD_YES)
        return;
    if (errno == ENOMEM) /* the library tells one from the other by nothing else */
        die("out of memory for an answer");
    bug("the header %s cannot be sent", name);
}

static void answer(struct call *call, int status, const char *type, char *body, size_t len,
                   enum MHD_ResponseMemoryMode memory)
{
    struct inbound *in = inbound_of(call);
    if (in->answer != NULL || in->stage == STAGE_DONE || in->stage == STAGE_NEW)
        bug("%s %s is answered twice", call->method, call->target);
    in->answer = MHD_create_response_from_buffer(len, body, memory);
    if (in->answer == NULL)
        die("out of memory");
    in->status = status;
    header_set(in->answer, "Content-Type", type);
    header_set(in->answer, "X-Content-Type-Options", "nosniff");
    if (memory != MHD_RESPMEM_PERSISTENT) /* data: nothing for caches */
        header_set(in->answer, "Cache-Control", "no-store");
    for (size_t i = 0; i < in->header_count; i++)
        header_set(in->answer, in->headers[i].name, in->headers[i].value);
    if (in->server->stopping)
        header_set(in->answer, "Connection", "close");
    inbound_answered(in);
}

void call_add_header(struct call *call, const char *name, const char *value)
{
    struct inbound *in = inbound_of(call);
    if (in->header_count == INBOUND_HEADERS_MAX)
        bug("too many headers are added to %s", call->route->pattern);
    in->headers[in->header_count].name = must_copy(name);
    in->headers[in->header_count++].value = must_copy(value);
}

void call_json_answer(struct call *call, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        die("out of memory for an answer");
    answer(call, status, JSON_TYPE, text, strlen(text), MHD_RESPMEM_MUST_FREE);
}

void call_text_answer(struct call *call, int status, const char *type, const char *text, size_t len)
{
    answer(call, status, type, (char *)(uintptr_t)text, len, MHD_RESPMEM_MUST_COPY);
}

void call_static_answer(struct call *call, int status, const char *type, const void *bytes,
                        size_t len)
{
    answer(call, status, type, (char *)(uintptr_t)bytes, len, MHD_RESPMEM_PERSISTENT);
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
    } by_kind[] = {
        [ERROR_NONE] = { 400, "The request is not valid." },
        [ERROR_INVALID] = { 400, "The request is not valid." },
        [ERROR_FORBIDDEN] = { 403, "This is not allowed." },
        [ERROR_NOT_FOUND] = { 404, "There is nothing at this address." },
        [ERROR_CONFLICT] = { 409, "This cannot be done now." },
        [ERROR_UNAVAILABLE] = { 503, "The server cannot take this now; try again later." },
        [ERROR_BROKEN] = { 500, "The server failed; its log says why." },
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
    if (status == 503)
        call_add_header(call, "Retry-After", "1");
    call_json_answer(call, status, body);
}
