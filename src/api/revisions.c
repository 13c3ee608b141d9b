/* revisions.c — ETags and If-Match by revision: compares three versions of an object, field by
 * field.  Values are compared as JSON, so it knows nothing of what the fields mean. */
#include "api/revisions.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "7", W/"7" (a proxy that compresses makes it weak), or 7 as it stands in `Revision`. */
static bool revision_parse(const char *text, int64_t *revision)
{
    char digits[24];
    if (text_starts(text, "W/"))
        text += 2;
    bool quoted = *text == '"';
    size_t len = strlen(text);
    if (quoted && (len < 2 || text[len - 1] != '"'))
        return false;
    len -= quoted ? 2 : 0;
    if (len >= sizeof(digits))
        return false;
    memcpy(digits, text + quoted, len);
    digits[len] = '\0';
    return text_int(digits, 1, INT32_MAX, revision);
}

bool revision_read(struct call *call, int64_t *revision)
{
    const char *given = call_header(call, "If-Match");
    *revision = REVISION_ANY;
    if (given == NULL || strcmp(given, "*") == 0 || revision_parse(given, revision))
        return true;
    call_refuse(
        call, 412, NULL,
        "If-Match is not a revision such as \"7\", as the answer's ETag has it. Nothing was "
        "done.");
    return false;
}

void revision_tag(struct call *call, int64_t revision)
{
    char tag[32];
    snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", revision);
    call_add_header(call, "ETag", tag);
}

static bool is_same(const json_t *one, const json_t *other)
{
    return one == other || (one != NULL && other != NULL && json_equal(one, other) == 1);
}

static void put_version(json_t *field, const char *version, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (value != NULL)
        json_object_set_new(field, version, json_deep_copy(value));
}

json_t *revision_conflict(const json_t *before, const json_t *yours, const json_t *now,
                          int64_t revision)
{
    const char *name;
    const json_t *theirs;
    char text[24];
    if (before != NULL && json_equal(before, now) == 1)
        return NULL;
    json_t *body = call_error_body(NULL, "It was changed meanwhile. Nothing was saved.");
    json_t *changed = json_array();
    json_object_foreach((json_t *)now, name, theirs)
    {
        if (is_same(theirs, json_object_get(yours, name)))
            continue;
        json_t *field = json_object();
        json_object_set_new(field, "Field", json_string(name));
        put_version(field, "Before", before, name);
        put_version(field, "Yours", yours, name);
        put_version(field, "Theirs", now, name);
        json_array_append_new(changed, field);
    }
    snprintf(text, sizeof(text), "%" PRId64, revision);
    json_object_set_new(body, "Revision", json_string(text));
    json_object_set_new(body, "Changed", changed);
    return body;
}
