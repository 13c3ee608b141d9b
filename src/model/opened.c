/* opened.c — a small set of names of data points.
 *
 * The rule that must never break: a point on request that is not named here is not seen.
 */
#include "model/opened.h"

#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

bool opened_names(const struct opened *opened, const char *name)
{
    for (size_t i = 0; opened != NULL && i < opened->count; i++)
        if (strcmp(opened->names[i], name) == 0)
            return true;
    return false;
}

bool opened_has(const struct opened *opened, const struct data_point *point)
{
    return !point->on_request || opened_names(opened, point->name);
}

void opened_add(struct opened *opened, const char *name)
{
    if (opened->count == OPENED_MAX || opened_names(opened, name))
        return;
    opened->names = must_resize(opened->names, (opened->count + 1) * sizeof(*opened->names));
    opened->names[opened->count++] = must_copy(name);
}

static void take(struct opened *opened, const char *name, struct problems *problems)
{
    if (name == NULL)
        problems_add(problems, "DataPoints", "must hold names");
    else if (!catalog_on_request(name, strlen(name)))
        problems_add(problems, "DataPoints", "\"%.60s\" is not a data point on request; %s", name,
                     "GET of this address lists them under OnRequest");
    else
        opened_add(opened, name);
}

/* Of a form: "A, B". */
static void take_text(struct opened *opened, const char *text, struct problems *problems)
{
    while (*text != '\0' && problems->count < PROBLEMS_MAX) {
        size_t len;
        text += strspn(text, ", ");
        len = strcspn(text, ", ");
        if (len > 0) {
            char *name = must_copy_bytes(text, len);
            take(opened, name, problems);
            free(name);
        }
        text += len;
    }
}

void opened_read(struct opened *opened, const json_t *from, struct problems *problems)
{
    const json_t *given = json_object_get(from, "DataPoints"), *name;
    const char *member;
    json_t *value;
    size_t i;

    json_object_foreach((json_t *)from, member, value)
    {
        if (strcmp(member, "DataPoints") != 0)
            problems_add(problems, member, "is not a field of this request");
    }
    if (json_is_string(given))
        take_text(opened, json_string_value(given), problems);
    else if (!json_is_array(given))
        problems_add(problems, "DataPoints",
                     "is required: an array of names, of all that are to be open");
    json_array_foreach(given, i, name) take(opened, json_string_value(name), problems);
}

void opened_parse(struct opened *opened, const char *text)
{
    json_t *names = json_loads(text, 0, NULL), *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        if (json_is_string(name))
            opened_add(opened, json_string_value(name));
    }
    json_decref(names);
}

json_t *opened_write(const struct opened *opened)
{
    json_t *names = json_array();

    for (size_t i = 0; i < opened->count; i++)
        json_array_append_new(names, json_string(opened->names[i]));
    return names;
}

void opened_clear(struct opened *opened)
{
    for (size_t i = 0; i < opened->count; i++)
        free(opened->names[i]);
    free(opened->names);
    *opened = (struct opened){ 0 };
}
