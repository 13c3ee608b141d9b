/* template_scan.c — knows where in its format each byte of a template stands.
 *
 * One small state machine for each format, fed the template's literal bytes and its tokens in
 * order.  It is exact for text that is well-formed and need not be for other text: that is refused
 * by template_check.c, which parses the whole.
 *
 * The rule that must never break: a token is let through only where the escape given for it keeps
 * any value inside its place.
 */
#include "model/template_parts.h"

#include <string.h>

enum { JSON_OUTSIDE, JSON_QUOTED, JSON_BACKSLASH, JSON_HEX };
enum {
    XML_TEXT,
    XML_TAG,
    XML_DOUBLE, /* in a value between double quotes */
    XML_SINGLE,
    XML_ENTITY,
    XML_COMMENT,
    XML_CDATA,
    XML_INSTRUCTION,
};

static const char token_value = '\1'; /* scan.last behind a token */

void scan_start(struct scan *scan, enum template_place place)
{
    *scan = (struct scan){ .place = place };
}

bool scan_in_string(const struct scan *scan)
{
    return scan->place == PLACE_JSON && scan->state == JSON_QUOTED;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* ---- JSON ---- */

static const char *json_outside(struct scan *scan, char c)
{
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        return NULL;
    if (scan->last == token_value && strchr(",:]}", c) == NULL)
        return "a data point outside quotes is a whole value; nothing may be joined to it";
    scan->last = c;
    if (c == '"')
        scan->state = JSON_QUOTED;
    return NULL;
}

static const char *json_byte(struct scan *scan, char c)
{
    switch (scan->state) {
    case JSON_OUTSIDE:
        return json_outside(scan, c);
    case JSON_QUOTED:
        if (c == '"')
            scan->state = JSON_OUTSIDE;
        else if (c == '\\')
            scan->state = JSON_BACKSLASH;
        return NULL;
    case JSON_BACKSLASH:
        scan->state = c == 'u' ? JSON_HEX : JSON_QUOTED;
        scan->left = 4;
        return NULL;
    default: /* JSON_HEX */
        if (!is_hex(c))
            return "\\u must be followed by four hexadecimal digits";
        if (--scan->left == 0)
            scan->state = JSON_QUOTED;
        return NULL;
    }
}

static const char *json_token(struct scan *scan, enum escape *escape, bool *json_value)
{
    *escape = ESCAPE_JSON;
    if (scan->state == JSON_QUOTED)
        return NULL;
    if (scan->state != JSON_OUTSIDE)
        return "cannot stand behind a backslash";
    if (scan->last != '\0' && strchr(",:[{", scan->last) == NULL)
        return "stands outside quotes, so it must be a whole value; put quotes around the text";
    scan->last = token_value;
    *json_value = true;
    return NULL;
}

/* ---- XML ---- */

static bool begins(const char *at, const char *with)
{
    return strncmp(at, with, strlen(with)) == 0;
}

/* Enters `state` behind a mark of which this is the first byte. */
static void enter(struct scan *scan, int state, const char *mark)
{
    scan->state = state;
    scan->left = (int)strlen(mark) - 1;
}

static const char *xml_text(struct scan *scan, const char *at, const char **instead)
{
    if (*at == '>') {
        *instead = "&gt;"; /* behind a value that ends in "]]" it would not be well-formed */
    } else if (*at == '&') {
        scan->state = XML_ENTITY;
        scan->after = XML_TEXT;
    } else if (begins(at, "<!--")) {
        enter(scan, XML_COMMENT, "<!--");
    } else if (begins(at, "<![CDATA[")) {
        enter(scan, XML_CDATA, "<![CDATA[");
    } else if (begins(at, "<!")) {
        return "a document type is not allowed in a body";
    } else if (begins(at, "<?")) {
        enter(scan, XML_INSTRUCTION, "<?");
    } else if (*at == '<') {
        scan->state = XML_TAG;
    }
    return NULL;
}

static void xml_tag(struct scan *scan, char c)
{
    if (c == '"')
        scan->state = XML_DOUBLE;
    else if (c == '\'')
        scan->state = XML_SINGLE;
    else if (c == '>')
        scan->state = XML_TEXT;
}

static void xml_value(struct scan *scan, char c, char quote)
{
    if (c == quote) {
        scan->state = XML_TAG;
    } else if (c == '&') {
        scan->after = scan->state;
        scan->state = XML_ENTITY;
    }
}

static const char *xml_byte(struct scan *scan, const char *at, const char **instead)
{
    if (scan->left > 0) {
        scan->left--;
        return NULL;
    }
    switch (scan->state) {
    case XML_TEXT:
        return xml_text(scan, at, instead);
    case XML_TAG:
        xml_tag(scan, *at);
        break;
    case XML_DOUBLE:
        xml_value(scan, *at, '"');
        break;
    case XML_SINGLE:
        xml_value(scan, *at, '\'');
        break;
    case XML_ENTITY:
        if (*at == ';')
            scan->state = scan->after;
        break;
    case XML_COMMENT:
        if (begins(at, "-->"))
            enter(scan, XML_TEXT, "-->");
        break;
    case XML_CDATA:
        if (begins(at, "]]>"))
            enter(scan, XML_TEXT, "]]>");
        break;
    default: /* XML_INSTRUCTION */
        if (begins(at, "?>"))
            enter(scan, XML_TEXT, "?>");
        break;
    }
    return NULL;
}

static const char *xml_token(const struct scan *scan, enum escape *escape)
{
    switch (scan->state) {
    case XML_TEXT:
        *escape = ESCAPE_XML_TEXT;
        return NULL;
    case XML_DOUBLE:
    case XML_SINGLE:
        *escape = ESCAPE_XML_ATTRIBUTE;
        return NULL;
    case XML_CDATA:
        *escape = ESCAPE_XML_CDATA;
        return NULL;
    case XML_TAG:
        return "cannot be part of a tag; it may stand in text or in an attribute's value";
    case XML_ENTITY:
        return "cannot be part of an entity; is the '&' before it meant to be &amp;?";
    case XML_COMMENT:
        return "cannot stand in a comment";
    default:
        return "cannot stand in a processing instruction";
    }
}

/* ---- URLs and forms ---- */

static const char *percent_byte(const char *at, const char **instead)
{
    unsigned char c = (unsigned char)*at;
    if (c == '{')
        *instead = "%7B";
    else if (c == '}')
        *instead = "%7D";
    else if (c == ' ')
        return "a space cannot stand here; write %20";
    else if (c < ' ' || c == 0x7f)
        return "a line break or other control character cannot stand here";
    else if (c >= 0x80)
        return "only ASCII can stand here; write other characters as %XX of their UTF-8";
    else if (c == '#')
        return "'#' cannot stand here: what follows it is never sent; write %23 if it is meant";
    else if (c == '%' && (!is_hex(at[1]) || !is_hex(at[2])))
        return "'%' must be followed by two hexadecimal digits; write %25 for the sign itself";
    else if (strchr("\"<>\\^`|", c) != NULL)
        return "this character must be written as %XX here";
    return NULL;
}

const char *scan_byte(struct scan *scan, const char *at, const char **instead)
{
    *instead = NULL;
    switch (scan->place) {
    case PLACE_JSON:
        return json_byte(scan, *at);
    case PLACE_XML:
        return xml_byte(scan, at, instead);
    case PLACE_URL:
    case PLACE_FORM:
        return percent_byte(at, instead);
    case PLACE_TEXT:
        break;
    }
    return NULL;
}

const char *scan_token(struct scan *scan, enum escape *escape, bool *json_value)
{
    *json_value = false;
    switch (scan->place) {
    case PLACE_JSON:
        return json_token(scan, escape, json_value);
    case PLACE_XML:
        return xml_token(scan, escape);
    case PLACE_URL:
        *escape = ESCAPE_URL;
        break;
    case PLACE_FORM:
        *escape = ESCAPE_FORM;
        break;
    case PLACE_TEXT:
        *escape = ESCAPE_NOTHING;
        break;
    }
    return NULL;
}
