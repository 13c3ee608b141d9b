/* event.c — events, and the check of those that come from outside.
 *
 * event_check() is on the road of every event taken in.  It walks the members once, looks each up
 * from where the last one was found (data mostly comes in the catalog's order), keeps them by the
 * number of their data point, and then writes them in the catalog's order straight to the buffer.
 *
 * The rule that must never break: what is written is canonical, so that the readers of an event
 * (points.c, the default body) never meet anything but strings and lists.
 */
#include "model/event.h"

#include "base/fail.h"
#include "base/id.h"
#include "model/date.h"
#include "model/escape.h"
#include "model/money.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTEGER_DIGITS_MAX = 19 };

static atomic_size_t large_bytes;

struct event *event_new(int64_t account, const struct event_type *type, int64_t occurred_at,
                        int64_t inquiry, const char *data, size_t data_len)
{
    if (data_len > EVENT_DATA_MAX)
        die("an event's data has %zu bytes; at most %d are allowed", data_len, EVENT_DATA_MAX);
    struct event *event = must_alloc(sizeof(*event) + data_len + 1);
    event->account = account;
    event->type = type;
    event->occurred_at = occurred_at;
    event->inquiry = inquiry;
    event->references = 1;
    event->data_len = data_len;
    memcpy(event->data, data, data_len);
    if (event_is_large(event))
        atomic_fetch_add_explicit(&large_bytes, data_len, memory_order_relaxed);
    return event;
}

struct event *event_ref(struct event *event)
{
    event->references++;
    return event;
}

void event_unref(struct event *event)
{
    if (event == NULL || --event->references > 0)
        return;
    if (event_is_large(event))
        atomic_fetch_sub_explicit(&large_bytes, event->data_len, memory_order_relaxed);
    free(event);
}

size_t events_large_bytes(void)
{
    return atomic_load_explicit(&large_bytes, memory_order_relaxed);
}

/* ---- the check ---- */

static bool is_integer(const char *text)
{
    text += *text == '-';
    size_t len = strspn(text, "0123456789");
    return len > 0 && len <= INTEGER_DIGITS_MAX && text[len] == '\0';
}

static const char money_wanted[] =
    "must be a decimal number like \"12.50\", without separators or symbols";

/* As a person writes it, in whom nobody suspects a rounded id: no exponent, and no -0. */
static bool is_decimal(const struct json_value *real)
{
    return memchr(real->text, '.', real->len) != NULL &&
           memchr(real->text, 'e', real->len) == NULL && memchr(real->text, 'E', real->len) == NULL;
}

static const char *real_misfit(enum point_type type, const struct json_value *real)
{
    char text[MONEY_TEXT] = "";
    if (type == POINT_INTEGER)
        return "must be a whole number";
    if (type == POINT_DATE)
        return DATE_WANTED;
    if (type != POINT_MONEY)
        return is_decimal(real) ? NULL : NUMBER_IS_NO_TEXT;
    if (real->len < sizeof(text))
        memcpy(text, real->text, real->len);
    return money_is_decimal(text) ? NULL : money_wanted;
}

static const char *string_misfit(enum point_type type, const struct json_value *value)
{
    const char *text = value->text;
    int64_t at_ms;
    if (value->len == 0)
        return NULL;
    if (type == POINT_INTEGER && !is_integer(text))
        return "must be a whole number of at most 19 digits";
    if (type == POINT_MONEY && !money_is_decimal(text))
        return money_wanted;
    if (type == POINT_DATE && !date_parse(text, &at_ms))
        return DATE_WANTED;
    return NULL;
}

/* NULL: the value fits, else what would. */
static const char *misfit(enum point_type type, const struct json_value *value)
{
    if (type == POINT_LIST)
        return value->type == JSON_ARRAY || value->type == JSON_NULL ? NULL : "must be an array";
    switch (value->type) {
    case JSON_STRING:
        return string_misfit(type, value);
    case JSON_NULL:
        return NULL;
    case JSON_INTEGER:
        return type == POINT_DATE ? DATE_WANTED : NULL;
    case JSON_REAL:
        return real_misfit(type, value);
    case JSON_TRUE:
    case JSON_FALSE:
        return type == POINT_INTEGER ? "must be a whole number"
               : type == POINT_MONEY ? money_wanted
               : type == POINT_DATE  ? DATE_WANTED
                                     : NULL;
    default:
        return "must be a single value, not an object or an array";
    }
}

/* What had no escapes needs none. */
static void write_string(struct buf *out, const struct json_value *string)
{
    char *room = string->plain ? buf_room(out, string->len + 2) : NULL;
    if (room == NULL) {
        escape_add(out, ESCAPE_JSON_QUOTED, string->text, string->len);
        return;
    }
    room[0] = '"';
    memcpy(room + 1, string->text, string->len);
    room[string->len + 1] = '"';
    buf_grew(out, string->len + 2);
}

/* False: nested too deep. */
static bool write_value(struct buf *out, const struct json_value *value, int depth);

static bool write_object(struct buf *out, const struct json_value *object, int depth)
{
    const struct json_value *at = object + 1;
    buf_char(out, '{');
    for (uint32_t i = 0; i < object->len; i++, at += 1 + at[1].size) {
        if (i > 0)
            buf_char(out, ',');
        write_string(out, at);
        buf_char(out, ':');
        if (!write_value(out, at + 1, depth + 1))
            return false;
    }
    buf_char(out, '}');
    return true;
}

static bool write_array(struct buf *out, const struct json_value *array, int depth)
{
    const struct json_value *at = array + 1;
    buf_char(out, '[');
    for (uint32_t i = 0; i < array->len; i++, at += at->size) {
        if (i > 0)
            buf_char(out, ',');
        if (!write_value(out, at, depth + 1))
            return false;
    }
    buf_char(out, ']');
    return true;
}

static bool write_value(struct buf *out, const struct json_value *value, int depth)
{
    if (depth > EVENT_DEPTH_MAX)
        return false;
    switch (value->type) {
    case JSON_OBJECT:
        return write_object(out, value, depth);
    case JSON_ARRAY:
        return write_array(out, value, depth);
    case JSON_STRING:
        write_string(out, value);
        return true;
    default:
        break;
    }
    buf_char(out, '"');
    if (value->type == JSON_INTEGER)
        buf_int(out, value->integer);
    else if (value->type == JSON_REAL)
        buf_add(out, value->text, value->len);
    else if (value->type != JSON_NULL)
        buf_str(out, value->type == JSON_TRUE ? "true" : "false");
    buf_char(out, '"');
    return true;
}

struct checking {
    const struct event_type *type;
    const char *prefix;
    struct problems *problems;
};

static void wrong_member(const struct checking *checking, const char *name, const char *what)
{
    char field[2 * CLIP_TEXT + 16], clipped[CLIP_TEXT];
    snprintf(field, sizeof(field), "%.64sData.%s", checking->prefix,
             clip(clipped, name, strlen(name)));
    problems_add(checking->problems, field, "%s", what);
}

static void unknown_member(const struct checking *checking, const char *name)
{
    char what[256];
    const char *nearest = catalog_nearest(&checking->type, 1, name, strlen(name));
    if (catalog_point(NULL, name, strlen(name)) != NULL)
        snprintf(what, sizeof(what), "is set by the server; leave it out");
    else if (nearest != NULL)
        snprintf(what, sizeof(what), "is not a data point of %s; did you mean %s?",
                 checking->type->name, nearest);
    else
        snprintf(what, sizeof(what), "is not a data point of %s", checking->type->name);
    wrong_member(checking, name, what);
}

/* Most are not: a letter tells, without a call. */
static bool is_named(const struct data_point *point, const char *name)
{
    return point->name[0] == name[0] && strcmp(point->name, name) == 0;
}

/* The number of the data point of that name, looked for from `from` on; point_count: none. */
static size_t point_index(const struct event_type *type, const char *name, size_t from)
{
    for (size_t i = from; i < type->point_count; i++)
        if (is_named(&type->points[i], name))
            return i;
    for (size_t i = 0; i < from; i++)
        if (is_named(&type->points[i], name))
            return i;
    return type->point_count;
}

/* Sorts the members by data point into `values`, naming what does not belong. */
static void sort_members(const struct checking *checking, const struct json_value *data,
                         const struct json_value *values[CATALOG_POINTS_MAX])
{
    const struct event_type *type = checking->type;
    const struct json_value *name = data + 1;
    size_t next = 0;
    for (uint32_t i = 0; i < data->len; i++, name += 1 + name[1].size) {
        if (checking->problems->count == PROBLEMS_MAX)
            return;
        size_t at = point_index(type, name->text, next);
        if (at == type->point_count) {
            unknown_member(checking, name->text);
            continue;
        }
        const char *wrong = misfit(type->points[at].type, name + 1);
        if (wrong != NULL)
            wrong_member(checking, name->text, wrong);
        values[at] = name + 1;
        next = at + 1;
    }
}

/* The name of a data point needs no escape. */
static void write_name(struct buf *out, char before, const char *name)
{
    size_t len = strlen(name);
    char *room = buf_room(out, len + 4);
    if (room == NULL)
        return;
    room[0] = before;
    room[1] = '"';
    memcpy(room + 2, name, len);
    room[len + 2] = '"';
    room[len + 3] = ':';
    buf_grew(out, len + 4);
}

/* True: data points on request are among them. */
static bool write_members(const struct checking *checking,
                          const struct json_value *const values[CATALOG_POINTS_MAX],
                          struct buf *out)
{
    const struct event_type *type = checking->type;
    bool on_request = false;
    char before = '{';
    for (size_t i = 0; i < type->point_count; i++) {
        if (values[i] == NULL)
            continue;
        write_name(out, before, type->points[i].name);
        before = ',';
        on_request = on_request || type->points[i].on_request;
        if (type->points[i].type == POINT_LIST && values[i]->type == JSON_NULL)
            buf_str(out, "[]");
        else if (!write_value(out, values[i], 0))
            wrong_member(checking, type->points[i].name, "is nested too deep: at most 8 levels");
    }
    if (before == '{')
        buf_char(out, '{');
    buf_char(out, '}');
    return on_request;
}

bool event_check(const struct event_type *type, const struct json_value *data, const char *prefix,
                 struct buf *out, struct problems *problems)
{
    struct checking checking = { type, prefix, problems };
    const struct json_value *values[CATALOG_POINTS_MAX] = { NULL };
    size_t start = out->len, problems_before = problems->count;
    bool is_object = data->type == JSON_OBJECT;
    if (is_object)
        sort_members(&checking, data, values);
    if (problems->count > problems_before)
        return false;
    bool on_request = is_object && write_members(&checking, values, out);
    bool fits = !out->failed && out->len - start <= EVENT_DATA_MAX;
    if (is_object && fits)
        return on_request;
    char field[CLIP_TEXT + 16];
    snprintf(field, sizeof(field), "%.64sData", prefix);
    if (!is_object)
        problems_add(problems, field, "must be an object with the event's data points");
    else
        problems_add(problems, field, "must be at most %d bytes as JSON", EVENT_DATA_MAX);
    return false;
}

void event_check_tree(const struct event_type *type, const json_t *data, struct buf *out,
                      struct problems *problems)
{
    struct json_values values = { 0 };
    struct json_fault fault;
    struct buf text = { 0 };
    json_write(&text, data);
    if (!text.failed && json_scan(&values, text.data, text.len, &fault))
        event_check(type, values.at, "", out, problems);
    else
        problems_add(problems, "Data", "is not taken: %s", text.failed ? "too long" : fault.what);
    json_values_free(&values);
    buf_free(&text);
}

static struct event *made_of_samples(const struct event_type *type, int64_t account, int64_t now_ms,
                                     bool filled)
{
    struct buf data = { 0 };
    for (size_t i = 0; i < type->point_count; i++) {
        const struct data_point *point = &type->points[i];
        const char *sample = filled ? point->sample : catalog_sample(type, point);
        buf_fmt(&data, "%c\"%s\":", i == 0 ? '{' : ',', point->name);
        if (point->type == POINT_LIST)
            buf_str(&data, sample);
        else
            escape_add(&data, ESCAPE_JSON_QUOTED, sample, strlen(sample));
    }
    buf_char(&data, '}');
    struct event *event = event_new(account, type, now_ms, 0, buf_text(&data), data.len);
    event->id = id_first_at(now_ms);
    buf_free(&data);
    return event;
}

struct event *event_sample(const struct event_type *type, int64_t account, int64_t now_ms)
{
    return made_of_samples(type, account, now_ms, false);
}

struct event *event_filled(const struct event_type *type, int64_t account, int64_t now_ms)
{
    return made_of_samples(type, account, now_ms, true);
}
