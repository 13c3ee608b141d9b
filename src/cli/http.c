/* http.c — the courier's client, used one exchange at a time. */
#include "cli/http.h"

#include "base/buf.h"
#include "base/text.h"
#include "courier/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool split_url(struct http *http, const char *url)
{
    http->https = text_starts(url, "https://");
    if (!http->https && !text_starts(url, "http://"))
        return false;
    const char *host = strstr(url, "://") + 3;
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    if (*host == '[' && bracket == NULL)
        return false;
    const char *colon = strchr(bracket != NULL ? bracket : host, ':');
    size_t len = bracket != NULL ? (size_t)(bracket - host - 1) : strcspn(host, ":/");
    host += bracket != NULL;
    if (len == 0 || len >= sizeof(http->host))
        return false;
    memcpy(http->host, host, len);
    http->host[len] = '\0';
    http->port = http->https ? 443 : 80;
    if (colon != NULL) {
        char digits[8];
        int64_t port;
        snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
        if (!text_int(digits, 1, 65535, &port))
            return false;
        http->port = (int)port;
    }
    return true;
}

bool http_open(struct http *http, uv_loop_t *loop, const char *base_url, const char *ca_file,
               struct error *error)
{
    static const char *const anywhere[] = { "0.0.0.0/0", "::/0" };
    struct client_config config = { .allow_egress = anywhere,
                                    .allow_egress_count = 2,
                                    .ca_file = ca_file,
                                    .late_tls = true,
                                    .keep_bytes = ANSWER_READ_MAX,
                                    .deadline_ms = 30000 };
    *http = (struct http){ .loop = loop };
    if (!split_url(http, base_url)) {
        error_set(error, ERROR_INVALID, "%.200s: expected http://HOST:PORT or https://HOST",
                  base_url);
        return false;
    }
    http->client = client_new(loop, &config, error);
    return http->client != NULL;
}

void http_close(struct http *http)
{
    client_free(http->client);
}

struct waiting {
    bool done;
    struct attempt answer;
};

static void answered(void *context, struct attempt *attempt)
{
    struct waiting *waiting = context;
    waiting->answer = *attempt;
    waiting->done = true;
}

static void build(struct request *request, const struct http *http, const char *credentials,
                  const char *path, const json_t *body)
{
    buf_str(&request->target, path);
    buf_fmt(&request->headers, "Host: %s:%d\r\nUser-Agent: postbackd/%s\r\nAuthorization: Basic ",
            http->host, http->port, POSTBACKD_VERSION);
    text_base64(&request->headers, credentials, strlen(credentials), false);
    buf_str(&request->headers, "\r\n");
    if (body != NULL) {
        char *text = json_dumps(body, JSON_COMPACT);
        buf_str(&request->body, text);
        free(text);
    }
    buf_fmt(&request->headers, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
            request->body.len);
}

int http_call(struct http *http, const char *credentials, const char *method, const char *path,
              const json_t *body, json_t **answer, struct error *error)
{
    struct request request = { 0 };
    struct destination to = { .https = http->https, .host = http->host, .port = http->port };
    struct waiting waiting = { 0 };
    *answer = NULL;
    build(&request, http, credentials, path, body);
    client_send(http->client, &to, method, &request, answered, &waiting);
    while (!waiting.done)
        uv_run(http->loop, UV_RUN_ONCE);
    request_free(&request);
    int status = waiting.answer.status;
    if (waiting.answer.error != EXCHANGE_OK) {
        error_set(error, ERROR_UNAVAILABLE, "%s://%s:%d%s: %s (%s)", http->https ? "https" : "http",
                  http->host, http->port, path, waiting.answer.detail,
                  exchange_error_name(waiting.answer.error));
        status = -1;
    } else if (waiting.answer.body != NULL) {
        *answer = json_loadb(waiting.answer.body, waiting.answer.body_len, 0, NULL);
    }
    attempt_free(&waiting.answer);
    return status;
}
