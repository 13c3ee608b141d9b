/* body.c — reading requests of the operator's and the accounts' resources.
 *
 * A list here is read under a cursor instead of by page numbers: it is in order of id, so the next
 * page begins behind the last id given, however much was added meanwhile and however far one is.
 */
#include "api/body.h"

#include "base/id.h"
#include "base/text.h"
#include "model/mail.h"

#include <inttypes.h>
#include <string.h>

bool body_bool(const struct fields *fields, const char *name, bool *value)
{
    const json_t *given = json_object_get(fields->from, name);

    if (given == NULL || json_is_null(given))
        return false;
    if (json_is_boolean(given)) {
        *value = json_is_true(given);
        return true;
    }
    if (json_is_string(given) && text_bool(json_string_value(given), value))
        return true;
    problems_add(fields->problems, name, "must be true or false");
    return false;
}

char *body_email(const struct fields *fields, const char *name, const char *meaning)
{
    char *email = fields_text(fields, name, 254, 0, meaning);
    const char *fault = email != NULL ? mail_address_fault(email) : NULL;

    if (fault == NULL)
        return email;
    problems_add(fields->problems, name, "%s", fault);
    free(email);
    return NULL;
}

bool body_empties(const json_t *body, const char *name)
{
    const json_t *given = json_object_get(body, name);

    return given != NULL &&
           (json_is_null(given) || (json_is_string(given) && json_string_length(given) == 0));
}

int64_t path_id(const struct call *call, int param)
{
    int64_t id;

    return id_parse(call->params[param], &id) ? id : 0;
}

int64_t query_id(const struct call *call, const char *name, struct problems *problems)
{
    const char *given = call_query(call, name);
    int64_t id = 0;

    if (given[0] == '\0')
        return 0;
    if (given[strspn(given, "0123456789")] != '\0')
        problems_add(problems, name, "must be a whole number, such as 1001");
    else if (!id_parse(given, &id) || id == 0)
        id = ID_NOBODYS;
    return id;
}

void cursor_read(const struct call *call, struct cursor *cursor, const char *name,
                 struct problems *problems)
{
    const char *at = call_query(call, name), *size = call_query(call, "PageSize");
    int64_t limit = PAGE_SIZE_DEFAULT;

    *cursor = (struct cursor){ .name = name };
    if (at[0] != '\0' && !id_parse(at, &cursor->at))
        problems_add(problems, name, "must be an id");
    if (size[0] != '\0' && !text_int(size, 1, PAGE_SIZE_MOST, &limit))
        problems_add(problems, "PageSize", "must be a number from 1 to %d", PAGE_SIZE_MOST);
    cursor->limit = (int)limit;
}

static void set_number(json_t *answer, const char *name, bool known, int64_t number)
{
    json_object_set_new(answer, name, known ? json_sprintf("%" PRId64, number) : json_string(""));
}

/* A list under a cursor is not counted, so that no page costs more than its rows: what would need
 * the count is "" unless the whole list is in this answer. */
static json_t *attributes(const struct call *call, const char *cursor, bool first, int64_t size,
                          size_t count, const char *next)
{
    const char *const own[] = { cursor, NULL };
    bool last = *next == '\0', whole = first && last;
    struct buf start = { .limit = 16 * 1024 };
    json_t *answer = json_object();

    page_uri(&start, call, own);
    set_number(answer, "@page", first, 1);
    set_number(answer, "@numpages", whole, count > 0 ? 1 : 0);
    set_number(answer, "@pagesize", true, size);
    set_number(answer, "@total", whole, (int64_t)count);
    set_number(answer, "@start", first, 0);
    set_number(answer, "@end", first, count > 0 ? (int64_t)count - 1 : 0);
    json_object_set_new(answer, "@uri", call_string(call->target));
    json_object_set_new(answer, "@firstpageuri", call_string(buf_text(&start)));
    json_object_set_new(answer, "@nextpageuri", call_string(next));
    json_object_set_new(answer, "@previouspageuri", json_string(""));
    json_object_set_new(answer, "@lastpageuri", call_string(last ? call->target : ""));
    buf_free(&start);
    return answer;
}

json_t *cursor_answer(const struct call *call, const struct cursor *cursor, const char *name,
                      size_t count, int64_t last)
{
    return cursor_answer_at(call, cursor, count == (size_t)cursor->limit ? last : 0, name, count);
}

json_t *cursor_answer_at(const struct call *call, const struct cursor *cursor, int64_t next,
                         const char *name, size_t count)
{
    const char *const own[] = { cursor->name, "PageSize", NULL };
    struct buf uri = { .limit = 16 * 1024 };

    if (next != 0) {
        page_uri(&uri, call, own);
        buf_fmt(&uri, "%c%s=%" PRId64 "&PageSize=%d",
                strchr(buf_text(&uri), '?') != NULL ? '&' : '?', cursor->name, next, cursor->limit);
    }
    json_t *answer =
        attributes(call, cursor->name, cursor->at == 0, cursor->limit, count, buf_text(&uri));
    json_object_set_new(answer, name, json_array());
    buf_free(&uri);
    return answer;
}

json_t *whole_answer(const struct call *call, const char *name, json_t *array)
{
    int64_t count = (int64_t)json_array_size(array);
    json_t *answer = attributes(call, "", true, count, (size_t)count, "");
    json_object_set_new(answer, name, array);
    return answer;
}
