/* template_check.c — parses what a JSON or XML body template will send.
 *
 * The template is expanded with the samples of each set of data points that its event types have,
 * and once with nothing but empty values; jansson or expat must accept each.  The byte at which a
 * parser stops is traced back through the parts to the source, so that the problem names a place
 * that its author can see.
 *
 * XML: a document type would let the receiver's parser fetch and expand things, and another
 * encoding than UTF-8 would be a lie about what is sent; both are refused.
 */
#include "model/template_parts.h"

#include "base/fail.h"
#include "base/text.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t sample_time = 1795459217123; /* any */

struct finding { /* what a parser says of the expanded text */
    size_t at;
    char what[200];
};

static bool is_json(const struct buf *text, struct finding *finding)
{
    json_error_t error;
    json_t *value = json_loadb(buf_text(text), text->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value != NULL) {
        json_decref(value);
        return true;
    }
    finding->at = error.position > 0 ? (size_t)error.position - 1 : 0;
    bool whole = text_is_utf8(error.text, strlen(error.text)); /* jansson may cut a character */
    snprintf(finding->what, sizeof(finding->what), "%s", whole ? error.text : "syntax error");
    return false;
}

struct parse {
    XML_Parser parser;
    const char *refused; /* what we forbid and XML does not */
};

static void refuse(struct parse *parse, const char *what)
{
    parse->refused = what;
    XML_StopParser(parse->parser, XML_FALSE);
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(data, "a document type is not allowed in a body");
}

static void on_declaration(void *data, const XML_Char *version, const XML_Char *encoding,
                           int standalone)
{
    (void)standalone;
    if (version != NULL && strcmp(version, "1.0") != 0)
        refuse(data, "the XML version must be 1.0");
    else if (encoding != NULL && !text_same(encoding, "UTF-8"))
        refuse(data, "the encoding must be UTF-8, which is what is sent");
}

static bool is_xml(const struct buf *text, struct finding *finding)
{
    struct parse parse = { .parser = XML_ParserCreate("UTF-8") };
    if (parse.parser == NULL)
        die("out of memory for an XML parser");
    XML_SetUserData(parse.parser, &parse);
    XML_SetStartDoctypeDeclHandler(parse.parser, on_doctype);
    XML_SetXmlDeclHandler(parse.parser, on_declaration);
    bool right = XML_Parse(parse.parser, buf_text(text), (int)text->len, 1) == XML_STATUS_OK;
    if (!right) {
        long at = (long)XML_GetCurrentByteIndex(parse.parser);
        const char *what =
            parse.refused != NULL ? parse.refused : XML_ErrorString(XML_GetErrorCode(parse.parser));
        finding->at = at > 0 ? (size_t)at : 0;
        snprintf(finding->what, sizeof(finding->what), "%s", what);
    }
    XML_ParserFree(parse.parser);
    return right;
}

/* The place in the source of a byte of the expanded text. */
static size_t trace(const struct template *template, const size_t *marks, size_t at)
{
    size_t i = template->count;
    while (i > 0 && marks[i - 1] > at)
        i--;
    if (i == 0)
        return 0;
    const struct part *part = &template->parts[i - 1];
    size_t into = at - marks[i - 1];
    bool slice = part->point == NULL && part->text == template->source + part->at;
    return slice ? part->at + (into < part->len ? into : part->len) : part->at;
}

/* Expands with one event and parses; `when` tells the author which values did not fit. */
static bool check_with(const struct template *template, struct event *event, const char *when,
                       const char *field, struct problems *problems)
{
    bool json = template->place == PLACE_JSON;
    struct points_context context = { .account_sid = "PA4fGh7Jk2mNp9QrStVwXyZa", .attempt = 1 };
    struct points *points = points_new(event, &context);
    struct buf text = { .limit = TEMPLATE_EXPANDED_MAX };
    size_t *marks = must_alloc(template->count * sizeof(*marks));
    struct finding finding = { 0 };
    if (points == NULL)
        bug("the sample of %s is damaged", event->type->name);
    template_expand_parts(template, points, &text, marks, INT64_MAX); /* samples are short */
    bool right = !text.failed && (json ? is_json(&text, &finding) : is_xml(&text, &finding));
    if (text.failed)
        problems_add(problems, field, "is over %d bytes when it is filled in",
                     TEMPLATE_EXPANDED_MAX);
    else if (!right)
        template_problem(template->source, trace(template, marks, finding.at), field, problems,
                         "not valid %s%s: %s", json ? "JSON" : "XML", when, finding.what);
    free(marks);
    buf_free(&text);
    points_free(points);
    event_unref(event);
    return right;
}

void template_check(const struct template *template, const struct event_type *const *types,
                    size_t type_count, const char *field, struct problems *problems)
{
    size_t count;
    const struct event_type *any = type_count > 0 ? types[0] : catalog_types(&count);
    if (template->place != PLACE_JSON && template->place != PLACE_XML)
        return;
    if (type_count == 0 &&
        !check_with(template, event_filled(any, 0, sample_time), "", field, problems))
        return;
    for (size_t i = 0; i < type_count; i++) {
        if (i > 0 && types[i]->points == types[i - 1]->points)
            continue;
        if (!check_with(template, event_filled(types[i], 0, sample_time), "", field, problems))
            return;
    }
    check_with(template, event_new(0, any, sample_time, 0, "{}", 2),
               " when its data points are empty", field, problems);
}
