/* Requests: targets, forms and JSON bodies as clients may write them.
 *
 * The first byte chooses.  Whatever is taken is UTF-8 without NUL bytes; whatever is refused has
 * one answer.
 */
#include "server/inbound.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool is_text(const char *text)
{
    return text_is_utf8(text, strlen(text));
}

static void read_target(struct server *server, const char *text)
{
    if (strlen(text) > HEAD_MOST)
        return; /* head_fuzz.c */
    struct inbound *in = inbound_new(server, NULL);
    struct segments segments;
    in->call.target = text;
    target_read(in, &segments);
    check(in->call.path != NULL);
    for (size_t i = 0; i < segments.count && in->bad_target == NULL; i++)
        check(is_text(segments.at[i]));
    for (size_t i = 0; i < in->call.query_count && in->bad_target == NULL; i++) {
        check(is_text(in->query[i].name) && is_text(in->query[i].value));
        check(strcmp(call_query(&in->call, in->query[i].name), in->query[i].value) == 0);
    }
    inbound_free(in);
}

static void read_body(struct server *server, const char *type, const unsigned char *bytes,
                      size_t len)
{
    struct inbound *in = inbound_new(server, NULL);
    in->call.method = "POST";
    in->head.content_type = type;
    in->stage = STAGE_BODY;
    server->calls = 1;
    if (len > 0)
        buf_add(&in->call.body, bytes, len);
    json_t *body = call_object(&in->call);
    check((body != NULL) != in->answered);
    check(body != NULL || (in->status >= 400 && server->calls == 0));
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        check(is_text(name));
        if (type == NULL)
            check(json_string_length(value) == strlen(json_string_value(value)));
    }
    json_decref(body);
    inbound_free(in);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
    static struct server server;
    if (len == 0)
        return 0;
    if (server.spare.next == NULL)
        list_init(&server.spare);
    if (bytes[0] % 3 == 0) {
        char *text = strndup((const char *)bytes + 1, len - 1);
        read_target(&server, text);
        free(text);
    } else {
        read_body(&server, bytes[0] % 3 == 1 ? NULL : "application/json", bytes + 1, len - 1);
    }
    return 0;
}
