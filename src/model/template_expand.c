/* template_expand.c — at delivery: copies what is plain, and escapes each value for its place. */
#include "model/template_parts.h"

#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

/* RFC 8259 §6, without exponents. */
static bool is_json_number(const char *text)
{
    text += *text == '-';
    size_t len = strspn(text, "0123456789");
    if (len == 0 || (len > 1 && text[0] == '0'))
        return false;
    text += len;
    if (*text == '.') {
        len = strspn(text + 1, "0123456789");
        if (len == 0)
            return false;
        text += 1 + len;
    }
    return *text == '\0';
}

/* `own` is the value before its functions; a list that has one is not changed by them. */
static void json_value_add(struct buf *out, const struct part *part, const char *own,
                           const char *value)
{
    size_t len = strlen(value);
    bool number = part->type == POINT_INTEGER || part->type == POINT_MONEY;
    if (part->type == POINT_LIST && (len == 0 || own[0] != '\0'))
        buf_str(out, len == 0 ? "[]" : value);
    else if (number && len == 0)
        buf_str(out, "null");
    else if (number && is_json_number(value))
        buf_add(out, value, len);
    else
        escape_add(out, ESCAPE_JSON_QUOTED, value, len);
}

struct expansion {
    struct points *points;
    struct buf *out;
    char **results; /* those that are known; NULL: the template shares none */
    int64_t work;   /* bytes that functions may still read */
};

static bool value_add(struct expansion *expansion, const struct part *part)
{
    struct buf scratch[2] = { { 0 }, { 0 } };
    char **shared = part->result > 0 ? &expansion->results[part->result - 1] : NULL;
    const char *own = points_get(expansion->points, part->point), *value;
    if (shared != NULL && *shared != NULL)
        value = *shared;
    else
        value = template_value(part, own, scratch, &expansion->work);
    if (value != NULL && part->json_value)
        json_value_add(expansion->out, part, own, value);
    else if (value != NULL)
        escape_add(expansion->out, part->escape, value, strlen(value));
    if (value != NULL && shared != NULL && *shared == NULL)
        *shared = must_copy(value);
    buf_free(&scratch[0]);
    buf_free(&scratch[1]);
    return value != NULL;
}

bool template_expand_parts(const struct template *template, struct points *points, struct buf *out,
                           size_t *marks, int64_t work)
{
    struct expansion expansion = { .points = points, .out = out, .work = work };
    bool within = true;
    if (template->results > 0)
        expansion.results = must_alloc(template->results * sizeof(*expansion.results));
    for (size_t i = 0; i < template->count && within && !out->failed; i++) {
        const struct part *part = &template->parts[i];
        if (marks != NULL)
            marks[i] = out->len;
        if (part->point == NULL)
            buf_add(out, part->text, part->len);
        else
            within = value_add(&expansion, part);
    }
    for (size_t i = 0; i < template->results; i++)
        free(expansion.results[i]);
    free(expansion.results);
    return within;
}

bool template_expand(const struct template *template, struct points *points, struct buf *out)
{
    return template_expand_parts(template, points, out, NULL, TEMPLATE_WORK_MOST);
}
