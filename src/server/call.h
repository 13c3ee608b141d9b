/* call.h — one HTTP request that came in, and its answer.
 *
 * A handler reads the parts below; all strings are valid until the function that answers has
 * returned to the loop.  An answer may be given from anywhere on the loop thread.  If the client
 * goes away first the call stays valid until answered; the answer is then dropped.
 */
#ifndef POSTBACKD_CALL_H
#define POSTBACKD_CALL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/problem.h"
#include "model/account.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct json_values;
struct route;

enum { CALL_PARAMS_MAX = 4, CALL_QUERY_MAX = 64 };

struct query_pair {
    const char *name, *value; /* percent-decoded */
};

/* One that stands in for a call (a job that reads the parameters of a list) has query, caller and
 * address alone, and is for those functions that read no more of it. */
struct call {
    const struct route *route;
    const char *method;
    const char *path;                    /* percent-decoded */
    const char *target;                  /* as it came: path and query */
    const char *params[CALL_PARAMS_MAX]; /* the pattern's {…} in order, decoded */
    const struct query_pair *query;      /* its parameters: call_query() */
    size_t query_count;
    struct buf body;
    struct caller caller; /* set by enter() */
    const char *address;  /* the client's, without port */
    void *data;           /* the handler's own */
    /* Told of the answer once, before it goes out, if it is one piece; NULL: nobody is. */
    void (*answered)(struct call *call, int status, const char *content, size_t len);
    void *keyed; /* whose that is */
};

/* "" when absent. */
const char *call_query(const struct call *call,
                       const char *name); /* percent-decoded, valid UTF-8 */
bool call_has_query(const struct call *call, const char *name);
/* Names that are in the query and not in the NULL-ended list get a problem each; IrVersion, which
 * impact.com's clients send with every call, gets none. */
void call_query_only(const struct call *call, const char *const *names, struct problems *problems);
const char *call_header(const struct call *call, const char *name); /* NULL when absent */
/* User and password of HTTP Basic; false when absent or malformed. The caller frees (and wipes)
 * both. */
bool call_basic(const struct call *call, char **user, char **password);

/* The value of a cookie: false when there is none, or it is not one line of at most size - 1 bytes
 * that a cookie may have, or there are two of the name that differ. */
bool call_cookie(const struct call *call, const char *name, char *out, size_t size);

/* The body without a byte order mark, which some editors write before the text; it may be changed.
 */
char *call_body_text(struct call *call, size_t *len);
/* The body as one flat JSON object: application/json as it is; form-encoded (also when no content
 * type is given) as strings, a name given twice an error.  NULL: answered already (400, 415). The
 * caller owns it. */
json_t *call_object(struct call *call);
/* The body as any JSON. NULL: answered already. */
json_t *call_json(struct call *call);
/* The same without a tree (model/json.h): the values stand in the body, which is changed by it.
 * False: answered already. */
bool call_scan(struct call *call, struct json_values *values);
/* Whether the body's media type, parameters aside, is this one (in lower case). */
bool call_has_type(const struct call *call, const char *type);

/* Goes on to the route's handler, after counting the call against the rate limit (429; a user's
 * session is not counted) and checking call->caller: 404 when the path begins "/…/{SID}" and that
 * is not the caller's (routes of the operator alone excepted: they name any account), 403 when its
 * kind or the token's scope is not among the route's, 400 for a query where the route reads none. A
 * refused call counts too, and has the
 * limit's headers. */
void call_enter(struct call *call);

/* Whether the client has closed the connection, or its side of it, as far as is known here; for
 * calls that wait.  May be asked on any thread until the call is answered. */
bool call_is_gone(const struct call *call);

/* ---- answers: exactly one ---- */
void call_json_answer(struct call *call, int status, json_t *body); /* steals body */
void call_ok(struct call *call, const char *uri_format, ...)        /* {"Status":"OK","Uri":…} */
    __attribute__((format(printf, 2, 3)));
void call_text_answer(struct call *call, int status, const char *type, const char *text,
                      size_t len);
/* Bytes that outlive the server, sent from where they are.  Unlike on every other answer there is
 * no Cache-Control: how long it may be kept is the caller's to say. */
void call_static_answer(struct call *call, int status, const char *type, const void *bytes,
                        size_t len);
/* {"Status":"ERROR","Message":…,"Errors":[…]}; problems may be NULL. */
void call_refuse(struct call *call, int status, const struct problems *problems, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
void call_refuse_error(struct call *call, const struct error *error,
                       const struct problems *problems);
/* Before the answer, or its first piece: a further header. */
void call_add_header(struct call *call, const char *name, const char *value);

/* ---- an answer in pieces: what is long is read as it goes out ----
 *
 * In place of an answer a handler names a source.  The server asks it for a piece, sends that, and
 * asks for the next when the last one has left for the client's socket; so a call has one piece in
 * memory, whatever it reads.  next() and end() are called by the loop itself, on its thread, never
 * inside of another function of this file.
 *
 * A client that leaves, takes nothing for the server's idle time, or is slower than
 * SERVER_ANSWER_BYTES_A_MS past it, ends the answer; so does a stop of the server.  The source
 * learns by end(), or, while a piece of it is awaited, once that is given: the call stays valid
 * until then, and call_is_gone() tells whether it is still worth the while.  The answer is chunked
 * (RFC 9112 §7.1), to HTTP/1.0 it ends with the connection; one whose first piece is the last has a
 * Content-Length.  HEAD gets the head; its source is not asked. */
struct call_source {
    /* To be answered, now or later, with exactly one call_piece() or call_piece_failed(), or, as
     * long as there was no piece, with any other answer of this file instead. */
    void (*next)(struct call *call, void *data);
    /* Once, after all else; frees.  `whole`: all of it has left.  It may come when the floors below
     * have stopped already. */
    void (*end)(struct call *call, void *data, bool whole);
};
enum { CALL_PIECE_BYTES = 64 * 1024 }; /* a good size; a longer piece counts for what it is */

/* The type and the source outlive the call. */
void call_answer_in_pieces(struct call *call, int status, const char *type,
                           const struct call_source *source, void *data);
/* The bytes are sent or copied; `len` may be 0.  Nothing may be given after the `last`. */
void call_piece(struct call *call, const void *bytes, size_t len, bool last);
/* There is no next piece: the error is the answer when this would have been the first; otherwise it
 * goes to the log and the connection is reset, so that nobody takes a part for the whole. */
void call_piece_failed(struct call *call, const struct error *error);

/* The error answer's object, for answers that carry more than it: {"Status":"ERROR","Message":…,
 * "Errors":[{"Field":…,"Message":…}]}. */
json_t *call_error_body(const struct problems *problems, const char *message);
/* Text as JSON; bytes that are not UTF-8 become '?'.  Never NULL. */
json_t *call_string(const char *text);

#endif
