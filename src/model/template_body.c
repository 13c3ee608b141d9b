/* template_body.c — the body of a notification whose account wrote none: every data point of the
 * event, in its format.
 *
 * JSON is the common case and costs two copies: an event's data is canonical JSON already, so the
 * common members are put before what stands inside its braces.
 *
 * The rule that must never break: the same event gives the same body on every try, so neither
 * PostbackId nor Attempt is in it.
 */
#include "model/date.h"
#include "model/escape.h"
#include "model/template.h"

#include "base/fail.h"

#include <string.h>

enum { MEMBERS = 4 }; /* EventId EventType EventTime AccountSid: the first of the catalog's */

static void json_body(struct points *points, struct buf *out)
{
    size_t count;
    const struct data_point *common = catalog_common(&count);
    for (size_t i = 0; i < MEMBERS; i++) {
        const char *value = points_get(points, &common[i]);
        buf_char(out, i == 0 ? '{' : ',');
        escape_add(out, ESCAPE_JSON_QUOTED, common[i].name, strlen(common[i].name));
        buf_char(out, ':');
        escape_add(out, ESCAPE_JSON_QUOTED, value, strlen(value));
    }
    points_copy(points, out);
    buf_char(out, '}');
}

/* ---- XML ---- */

static void xml_open(struct buf *out, const char *name, size_t len)
{
    buf_char(out, '<');
    escape_xml_name(out, name, len);
    buf_char(out, '>');
}

static void xml_close(struct buf *out, const char *name, size_t len)
{
    buf_str(out, "</");
    escape_xml_name(out, name, len);
    buf_char(out, '>');
}

static void xml_element(struct buf *out, const char *name, size_t len, const char *value)
{
    xml_open(out, name, len);
    escape_add(out, ESCAPE_XML_TEXT, value, strlen(value));
    xml_close(out, name, len);
}

/* Lists nest as deep as points.c lets them. */
static void xml_value(struct buf *out, const json_t *value)
{
    const char *name;
    json_t *member;
    size_t i;
    if (json_is_array(value)) {
        json_array_foreach(value, i, member)
        {
            buf_str(out, "<Item>");
            xml_value(out, member);
            buf_str(out, "</Item>");
        }
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)value, name, member)
        {
            xml_open(out, name, strlen(name));
            xml_value(out, member);
            xml_close(out, name, strlen(name));
        }
    } else if (json_is_string(value)) {
        escape_add(out, ESCAPE_XML_TEXT, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        buf_int(out, json_integer_value(value));
    } else if (json_is_real(value)) {
        buf_fmt(out, "%.17g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        buf_str(out, json_is_true(value) ? "true" : "false");
    }
}

static void xml_body(struct points *points, struct buf *out)
{
    size_t count, at = 0;
    const struct data_point *common = catalog_common(&count);
    struct point_value value;
    buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Event>");
    for (size_t i = 0; i < MEMBERS; i++)
        xml_element(out, common[i].name, strlen(common[i].name), points_get(points, &common[i]));
    while (points_each(points, &at, &value)) {
        if (value.list == NULL) {
            xml_element(out, value.name, value.name_len, value.text);
            continue;
        }
        xml_open(out, value.name, value.name_len);
        xml_value(out, value.list);
        xml_close(out, value.name, value.name_len);
    }
    buf_str(out, "</Event>\n");
}

/* ---- form and text ---- */

static void form_pair(struct buf *out, const char *name, size_t len, const char *value)
{
    escape_add(out, ESCAPE_FORM, name, len);
    buf_char(out, '=');
    escape_add(out, ESCAPE_FORM, value, strlen(value));
}

static void form_body(struct points *points, struct buf *out)
{
    size_t count, at = 0;
    const struct data_point *common = catalog_common(&count);
    struct point_value value;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (i > 0)
            buf_char(out, '&');
        form_pair(out, common[i].name, strlen(common[i].name), points_get(points, &common[i]));
    }
    while (points_each(points, &at, &value)) {
        buf_char(out, '&');
        form_pair(out, value.name, value.name_len, value.text);
    }
}

/* A value with line breaks could pass for further lines: control characters become spaces. */
static void text_line(struct buf *out, const char *name, size_t len, const char *value)
{
    buf_add(out, name, len);
    buf_str(out, ": ");
    for (; *value != '\0'; value++)
        buf_char(out, (unsigned char)*value < ' ' ? ' ' : *value);
    buf_char(out, '\n');
}

static void text_body(struct points *points, struct buf *out)
{
    size_t count, at = 0;
    const struct data_point *common = catalog_common(&count);
    struct point_value value;
    for (size_t i = 0; i < MEMBERS; i++)
        text_line(out, common[i].name, strlen(common[i].name), points_get(points, &common[i]));
    while (points_each(points, &at, &value))
        text_line(out, value.name, value.name_len, value.text);
}

void template_default_body(enum template_place place, struct points *points, struct buf *out)
{
    switch (place) {
    case PLACE_JSON:
        json_body(points, out);
        return;
    case PLACE_XML:
        xml_body(points, out);
        return;
    case PLACE_FORM:
        form_body(points, out);
        return;
    case PLACE_TEXT:
        text_body(points, out);
        return;
    case PLACE_URL:
        break;
    }
    bug("a URL has no default body");
}
