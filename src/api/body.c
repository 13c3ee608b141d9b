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
#include <stdlib.h>
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

json_t *cursor_answer(const struct call *call, const struct cursor *cursor, const char *name,
                      size_t count, int64_t last)
{
    const char *const own[] = { cursor->name, "PageSize", NULL };
    struct buf uri = { .limit = 16 * 1024 };
    json_t *answer = json_object();

    if (count == (size_t)cursor->limit) {
        page_uri(&uri, call, own);
        buf_fmt(&uri, "%c%s=%" PRId64 "&PageSize=%d",
                strchr(buf_text(&uri), '?') != NULL ? '&' : '?', cursor->name, last, cursor->limit);
    }
    json_object_set_new(answer, "@pagesize", json_sprintf("%d", cursor->limit));
    json_object_set_new(answer, "@nextpageuri", call_string(buf_text(&uri)));
    json_object_set_new(answer, name, json_array());
    buf_free(&uri);
    return answer;
}
