/* body.c — a call's body as JSON, whichever way it came.
 *
 * A form becomes a flat object of strings.  What cannot be read is answered here, with the place
 * of the error, and the handler has nothing more to do.
 */
#include "server/inbound.h"

#include "base/text.h"
#include "model/json.h"

#include <string.h>
#include <strings.h>

enum { FORM_FIELDS_MAX = 256 };

enum body_type { TYPE_FORM, TYPE_JSON, TYPE_OTHER };

bool call_has_type(const struct call *call, const char *type)
{
    const char *given = inbound_of(call)->head.content_type;
    if (given == NULL)
        return false;
    size_t len = strcspn(given, "; \t");
    return strlen(type) == len && strncasecmp(given, type, len) == 0;
}

static enum body_type body_type(const struct call *call)
{
    const char *given = inbound_of(call)->head.content_type;
    if (given == NULL || given[0] == '\0')
        return TYPE_FORM;
    if (call_has_type(call, "application/json"))
        return TYPE_JSON;
    return call_has_type(call, "application/x-www-form-urlencoded") ? TYPE_FORM : TYPE_OTHER;
}

/* False: answered. */
static bool is_json(struct call *call)
{
    if (body_type(call) == TYPE_JSON)
        return true;
    call_refuse(call, 415, NULL, "The body must be JSON (Content-Type: application/json).");
    return false;
}

static void refuse_fault(struct call *call, const struct json_fault *fault)
{
    call_refuse(call, 400, NULL, "The body is not valid JSON: line %d, column %d: %s.", fault->line,
                fault->column, fault->what);
}

char *call_body_text(struct call *call, size_t *len)
{
    static const char mark[] = "\xef\xbb\xbf";
    static char none[] = "";
    size_t skipped = 0;
    if (call->body.len >= sizeof(mark) - 1 && memcmp(call->body.data, mark, sizeof(mark) - 1) == 0)
        skipped = sizeof(mark) - 1;
    *len = call->body.len - skipped;
    return call->body.data != NULL ? call->body.data + skipped : none;
}

json_t *call_json(struct call *call)
{
    struct json_fault fault;
    size_t len;
    const char *text = call_body_text(call, &len);
    if (!is_json(call))
        return NULL;
    json_t *body = json_read(text, len, &fault);
    if (body == NULL)
        refuse_fault(call, &fault);
    return body;
}

bool call_scan(struct call *call, struct json_values *values)
{
    struct json_fault fault;
    size_t len;
    char *text = call_body_text(call, &len);
    if (!is_json(call))
        return false;
    if (json_scan(values, text, len, &fault))
        return true;
    refuse_fault(call, &fault);
    return false;
}

static void form_pair(json_t *object, const char *piece, size_t len, struct problems *problems)
{
    const char *equals = memchr(piece, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - piece) : len;
    struct buf name = { 0 }, value = { 0 };
    bool good =
        text_percent_decode(&name, piece, name_len, true) &&
        (equals == NULL || text_percent_decode(&value, equals + 1, len - name_len - 1, true)) &&
        text_is_utf8(buf_text(&name), name.len) && text_is_utf8(buf_text(&value), value.len);
    if (!good)
        problems_add(problems, text_is_utf8(buf_text(&name), name.len) ? buf_text(&name) : "",
                     "is not percent-encoded UTF-8");
    else if (json_object_get(object, buf_text(&name)) != NULL)
        problems_add(problems, buf_text(&name), "is given twice");
    else
        json_object_set_new(object, buf_text(&name), json_stringn(buf_text(&value), value.len));
    buf_free(&name);
    buf_free(&value);
}

static json_t *form_read(struct call *call)
{
    struct problems problems = { 0 };
    json_t *object = json_object();
    size_t fields = 0, len;
    const char *at = call_body_text(call, &len), *end = at + len;
    while (at < end && problems.count < PROBLEMS_MAX) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        len = (size_t)((stop != NULL ? stop : end) - at);
        if (len > 0 && ++fields > FORM_FIELDS_MAX) {
            problems_add(&problems, "", "more than %d fields", FORM_FIELDS_MAX);
            break;
        }
        if (len > 0)
            form_pair(object, at, len, &problems);
        at += len + 1;
    }
    if (problems.count == 0)
        return object;
    call_refuse(call, 400, &problems, "The form in the body cannot be read.");
    problems_free(&problems);
    json_decref(object);
    return NULL;
}

json_t *call_object(struct call *call)
{
    enum body_type type = body_type(call);
    if (call->body.len == 0)
        return json_object();
    if (type == TYPE_FORM)
        return form_read(call);
    if (type == TYPE_OTHER) {
        call_refuse(call, 415, NULL,
                    "The body must be a form (application/x-www-form-urlencoded) or JSON "
                    "(application/json).");
        return NULL;
    }
    json_t *body = call_json(call);
    if (body != NULL && (!json_is_object(body) || json_number_text(body) != NULL)) {
        json_decref(body);
        call_refuse(call, 400, NULL, "The body must be a JSON object.");
        return NULL;
    }
    return body;
}
