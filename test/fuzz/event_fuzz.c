/* Events, from both sides.
 *
 * The first byte chooses the type.  The rest is an intake's Data: what event_check() takes must be
 * canonical (checked again it gives itself), whole, and read back with the values that were sent.
 * And it is an event's data as if read from a damaged disk: points must notice or cope.
 */
#include "model/template.h"

#include "base/fail.h"
#include "model/escape.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static const struct points_context context = { .account_sid = "PAabc",
                                               .postback = 77,
                                               .attempt = 1 };

static void read_all(const struct event *event, struct points *points)
{
    struct point_value value;
    for (size_t at = 0; points_each(points, &at, &value);)
        check(strlen(value.text) <= event->data_len);
    for (size_t i = event->type->point_count; i > 0; i--)
        check(points_get(points, &event->type->points[i - 1]) != NULL);
    static const enum template_place places[] = { PLACE_JSON, PLACE_XML, PLACE_FORM, PLACE_TEXT };
    for (size_t i = 0; i < 4; i++) {
        struct buf body = { 0 };
        template_default_body(places[i], points, &body);
        check(!body.failed && body.len > 0);
        buf_free(&body);
    }
}

static void as_from_disk(const struct event_type *type, const char *text, size_t len)
{
    if (len > EVENT_DATA_MAX)
        return;
    struct event *event = event_new(1, type, 0, 0, text, len);
    struct points *points = points_new(event, &context);
    if (points != NULL)
        read_all(event, points);
    points_free(points);
    event_unref(event);
}

static void is_canonical(const struct event_type *type, const json_t *sent, const struct buf *text)
{
    struct problems problems = { 0 };
    struct buf again = { 0 };
    json_t *back = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, NULL);
    check(back != NULL && json_object_size(back) == json_object_size(sent));
    event_check_tree(type, back, &again, &problems);
    check(problems.count == 0 && again.len == text->len &&
          memcmp(again.data, text->data, text->len) == 0);
    buf_free(&again);

    struct event *event = event_new(1, type, 0, 0, text->data, text->len);
    struct points *points = points_new(event, &context);
    check(points != NULL);
    for (size_t i = 0; i < type->point_count; i++) {
        const json_t *value = json_object_get(sent, type->points[i].name);
        if (json_is_string(value) && type->points[i].on_request)
            check(points_get(points, &type->points[i])[0] == '\0');
        else if (json_is_string(value))
            check(strcmp(points_get(points, &type->points[i]), json_string_value(value)) == 0);
    }
    read_all(event, points);
    struct buf body = { 0 };
    template_default_body(PLACE_JSON, points, &body);
    json_t *parsed = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    check(parsed != NULL);
    json_decref(parsed);
    buf_free(&body);
    points_free(points);
    event_unref(event);
    json_decref(back);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
    if (len == 0)
        return 0;
    size_t count;
    const struct event_type *type = &catalog_types(&count)[bytes[0] % count];
    const char *text = (const char *)bytes + 1;
    as_from_disk(type, text, len - 1);

    struct problems problems = { 0 };
    struct json_values values = { 0 };
    struct json_fault fault;
    struct buf out = { 0 };
    char *sent = must_copy_bytes(text, len - 1);
    if (json_scan(&values, sent, len - 1, &fault)) {
        event_check(type, values.at, "Events[3].", &out, &problems);
        json_t *tree = json_read(text, len - 1, &fault);
        if (problems.count == 0)
            is_canonical(type, tree, &out);
        json_decref(tree);
    }
    problems_free(&problems);
    buf_free(&out);
    json_values_free(&values);
    free(sent);
    return 0;
}
