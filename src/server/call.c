/* call.c — what a handler reads of its call.
 *
 * Query parameters were decoded when the headers came (target.c); there are few, so they are
 * looked up one by one.
 */
#include "server/call.h"

#include "base/fail.h"
#include "base/text.h"
#include "server/cookie.h"
#include "server/inbound.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct query_pair *query_find(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->query_count; i++) {
        if (strcmp(call->query[i].name, name) == 0)
            return &call->query[i];
    }
    return NULL;
}

const char *call_query(const struct call *call, const char *name)
{
    const struct query_pair *pair = query_find(call, name);
    return pair != NULL ? pair->value : "";
}

bool call_has_query(const struct call *call, const char *name)
{
    return query_find(call, name) != NULL;
}

void call_query_only(const struct call *call, const char *const *names, struct problems *problems)
{
    for (size_t i = 0; i < call->query_count; i++) {
        const char *const *name = names;
        if (strcmp(call->query[i].name, "IrVersion") == 0) /* impact.com's clients send it always */
            continue;
        while (*name != NULL && strcmp(*name, call->query[i].name) != 0)
            name++;
        if (*name == NULL)
            problems_add(problems, call->query[i].name, "is not a parameter of this call");
    }
}

const char *call_header(const struct call *call, const char *name)
{
    return head_find(&inbound_of(call)->head, name);
}

bool call_basic(const struct call *call, char **user, char **password)
{
    const struct inbound *in = inbound_of(call);
    const char *value = in->head.authorization;
    if (value == NULL || in->head.authorizations != 1 || strncasecmp(value, "Basic ", 6) != 0)
        return false;
    value += 6 + strspn(value + 6, " ");
    struct buf plain = { .limit = 1024 };
    bool good = text_unbase64(&plain, value, strlen(value), false) && !plain.failed &&
                plain.len > 0 && memchr(plain.data, '\0', plain.len) == NULL;
    char *colon = good ? strchr(plain.data, ':') : NULL;
    if (colon != NULL) {
        *user = must_copy_bytes(plain.data, (size_t)(colon - plain.data));
        *password = must_copy(colon + 1);
    }
    if (plain.data != NULL)
        sodium_memzero(plain.data, plain.len);
    buf_free(&plain);
    return colon != NULL;
}

bool call_cookie(const struct call *call, const char *name, char *out, size_t size)
{
    const struct inbound *in = inbound_of(call);
    return in->head.cookies == 1 && cookie_read(in->head.cookie, name, out, size);
}
