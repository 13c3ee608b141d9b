/* Templates: whatever compiles is valid in its format with whatever values.
 *
 * The first byte chooses the format.  Then a template, a NUL, and one value after another (each
 * ended by a NUL), which the event carries in data points of several types.
 */
#include "model/escape.h"
#include "model/template.h"

#include "base/text.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void is_json(const struct buf *text)
{
    json_t *value = json_loadb(buf_text(text), text->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    check(value != NULL);
    json_decref(value);
}

static void count_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
    (void)name;
    size_t *count = data;
    *count += 1;
    for (; *attributes != NULL; attributes += 2)
        *count += 1;
}

/* How many elements and attributes there are. */
static size_t xml_size(const struct buf *text)
{
    size_t count = 0;
    XML_Parser parser = XML_ParserCreate("UTF-8");
    XML_SetUserData(parser, &count);
    XML_SetStartElementHandler(parser, count_element);
    check(XML_Parse(parser, buf_text(text), (int)text->len, 1) == XML_STATUS_OK);
    XML_ParserFree(parser);
    return count;
}

static void is_printable(const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        check(text->data[i] > ' ' && text->data[i] < 0x7f &&
              strchr("\"<>\\^`{|}#", text->data[i]) == NULL);
}

static void expand(const struct template *template, const struct event *event, struct buf *out)
{
    struct points *points = points_new(
        event, &(struct points_context){ .account_sid = "PAabc", .postback = 77, .attempt = 1 });
    check(points != NULL);
    template_expand(template, points, out);
    points_free(points);
}

/* The values in turn, as an event whose every data point has one. */
static struct event *event_of(const struct event_type *type, const char *values, size_t len)
{
    struct buf data = { 0 };
    const char *at = values;
    for (size_t i = 0; i < type->point_count; i++) {
        if (at >= values + len)
            at = values;
        size_t own = strnlen(at, (size_t)(values + len - at));
        if (type->points[i].type != POINT_LIST) {
            buf_fmt(&data, "%c\"%s\":", data.len == 0 ? '{' : ',', type->points[i].name);
            escape_add(&data, ESCAPE_JSON_QUOTED, at, own);
        } else {
            buf_fmt(&data, "%c\"%s\":[", data.len == 0 ? '{' : ',', type->points[i].name);
            escape_add(&data, ESCAPE_JSON_QUOTED, at, own);
            buf_char(&data, ']');
        }
        at += own + 1;
    }
    buf_char(&data, '}');
    struct event *event = NULL;
    if (data.len <= EVENT_DATA_MAX)
        event = event_new(1, type, 1795459217123, 0, data.data, data.len);
    buf_free(&data);
    return event;
}

static void holds(const struct template *template, enum template_place place,
                  const struct event_type *type, const char *values, size_t len)
{
    struct event *event = event_of(type, values, len);
    struct event *sample = event_sample(type, 1, 1795459217123);
    struct buf out = { .limit = 8 * TEMPLATE_EXPANDED_MAX }, plain = { 0 };
    if (event != NULL) {
        expand(template, event, &out);
        expand(template, sample, &plain);
        if (!out.failed && place == PLACE_JSON)
            is_json(&out);
        else if (!out.failed && place == PLACE_XML)
            check(xml_size(&out) == xml_size(&plain)); /* no value adds an element */
        else if (!out.failed && place != PLACE_TEXT)
            is_printable(&out);
    }
    buf_free(&out);
    buf_free(&plain);
    event_unref(sample);
    event_unref(event);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
    if (len < 2)
        return 0;
    const struct event_type *types[] = { catalog_type("action_inquiry.opened"),
                                         catalog_type("action.tracked") };
    enum template_place place = (enum template_place)(bytes[0] % 5);
    size_t source_len = strnlen((const char *)bytes + 1, len - 1);
    char *source = malloc(source_len + 1);
    memcpy(source, bytes + 1, source_len);
    source[source_len] = '\0';
    const char *values = (const char *)bytes + 1 + source_len;
    size_t values_len = len - 1 - source_len;

    struct problems problems = { 0 };
    struct template *template = template_compile(source, place, types, 2, "Body", &problems);
    check((template == NULL) == (problems.count > 0));
    for (size_t i = 0; i < problems.count; i++)
        check(!text_is_utf8(source, source_len) ||
              text_is_utf8(problems.items[i].message, strlen(problems.items[i].message)));
    if (template != NULL && text_is_utf8(values, values_len)) {
        holds(template, place, types[0], values, values_len);
        holds(template, place, types[1], values, values_len);
    }
    template_free(template);
    problems_free(&problems);
    free(source);
    return 0;
}
