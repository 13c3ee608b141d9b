/* http.h — calling an API from the command line: one request, wait for its answer. */
#ifndef POSTBACKD_HTTP_H
#define POSTBACKD_HTTP_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct http {
    uv_loop_t *loop; /* turned while waiting */
    struct client *client;
    char host[256];
    int port;
    bool https;
};

/* base_url: "http://127.0.0.1:8080".  Any address may be called: it is the person's own choice. */
bool http_open(struct http *http, uv_loop_t *loop, const char *base_url, const char *ca_file,
               struct error *error);
void http_close(struct http *http);

/* `credentials`: "SID:TOKEN".  `body` is borrowed; NULL: none.  The answer's status, and its JSON
 * in *answer (the caller owns it; NULL when it is none); -1 with *error when there was no answer.
 */
int http_call(struct http *http, const char *credentials, const char *method, const char *path,
              const json_t *body, json_t **answer, struct error *error);

#endif
