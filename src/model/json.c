/* json.c — a recursive-descent reader over one span of bytes.
 *
 * A string without escapes, the usual one, is found by one scan and handed over as it stands; the
 * others are put together in a scratch buffer that one read shares.  The first fault stops
 * everything: `at` then stays where it was found.
 *
 * The rule that must never break: no byte at or behind `end` is looked at.
 */
#include "model/json.h"

#include "base/buf.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *start, *at, *end;
    const char *what; /* the first fault; NULL: none */
    int depth;
    struct buf scratch;
};

static json_t *value(struct reader *reader);

static json_t *fault(struct reader *reader, const char *what)
{
    if (reader->what == NULL)
        reader->what = what;
    return NULL;
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\t' || *reader->at == '\r'))
        reader->at++;
}

static bool next_is(struct reader *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

/* ---- strings ---- */

struct span {
    const char *bytes; /* NULL: a fault */
    size_t len;
};

static const struct span no_span = { NULL, 0 };

static int hex4(struct reader *reader)
{
    int code = 0;
    if (reader->end - reader->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = *reader->at++;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit == -1)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

static void add_utf8(struct buf *out, int code)
{
    if (code < 0x80) {
        buf_char(out, (char)code);
    } else if (code < 0x800) {
        buf_add(out, (char[]){ (char)(0xc0 | code >> 6), (char)(0x80 | (code & 0x3f)) }, 2);
    } else if (code < 0x10000) {
        buf_add(out,
                (char[]){ (char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)),
                          (char)(0x80 | (code & 0x3f)) },
                3);
    } else {
        buf_add(out,
                (char[]){ (char)(0xf0 | code >> 18), (char)(0x80 | (code >> 12 & 0x3f)),
                          (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f)) },
                4);
    }
}

/* Behind "\u". */
static bool unicode_escape(struct reader *reader)
{
    int code = hex4(reader);
    if (code >= 0xd800 && code <= 0xdbff) {
        bool pair = next_is(reader, '\\') && next_is(reader, 'u');
        int low = pair ? hex4(reader) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            code = -1;
        else
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
        code = -1;
    }
    if (code == -1)
        return fault(reader, "\\u is not followed by the four hex digits of a character") != NULL;
    if (code == 0)
        return fault(reader, "\\u0000 is not taken") != NULL;
    add_utf8(&reader->scratch, code);
    return true;
}

/* Behind the backslash. */
static bool escape(struct reader *reader)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (next_is(reader, 'u'))
        return unicode_escape(reader);
    const char *known =
        reader->at < reader->end && *reader->at != '\0' ? strchr(names, *reader->at) : NULL;
    if (known == NULL)
        return fault(reader, "an unknown escape behind \\") != NULL;
    reader->at++;
    buf_char(&reader->scratch, bytes[known - names]);
    return true;
}

/* To the next byte that needs a look; *wide: bytes outside ASCII were among them. */
static void skip_plain(struct reader *reader, bool *wide)
{
    const char *at = reader->at;
    unsigned char all = 0;
    while (at < reader->end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
        all |= (unsigned char)*at++;
    *wide = *wide || all >= 0x80;
    reader->at = at;
}

/* Behind the opening quote, to behind the closing one. */
static struct span string(struct reader *reader)
{
    const char *run = reader->at;
    bool wide = false, copied = false;
    struct span span;
    for (;;) {
        skip_plain(reader, &wide);
        if (reader->at == reader->end)
            return fault(reader, "a string is not closed"), no_span;
        if ((unsigned char)*reader->at < ' ')
            return fault(reader, "a control character in a string; write it as \\u00XX"), no_span;
        if (*reader->at == '"' && !copied) {
            span = (struct span){ run, (size_t)(reader->at - run) };
            break;
        }
        if (!copied)
            buf_reset(&reader->scratch);
        copied = true;
        buf_add(&reader->scratch, run, (size_t)(reader->at - run));
        if (*reader->at == '"') {
            span = (struct span){ buf_text(&reader->scratch), reader->scratch.len };
            break;
        }
        reader->at++;
        if (!escape(reader))
            return no_span;
        run = reader->at;
    }
    if (wide && !text_is_utf8(span.bytes, span.len))
        return fault(reader, "a string is not UTF-8"), no_span;
    reader->at++;
    return span;
}

static json_t *string_value(struct reader *reader)
{
    struct span span = string(reader);
    return span.bytes != NULL ? json_stringn_nocheck(span.bytes, span.len) : NULL;
}

/* ---- numbers ---- */

static size_t digits(struct reader *reader)
{
    const char *from = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return (size_t)(reader->at - from);
}

static json_t *real(struct reader *reader, const char *from)
{
    char text[512];
    size_t len = (size_t)(reader->at - from);
    if (len >= sizeof(text))
        return fault(reader, "a number is too long");
    memcpy(text, from, len);
    text[len] = '\0';
    double read = strtod(text, NULL);
    return isfinite(read) ? json_real(read) : fault(reader, "a number is too large");
}

static json_t *integer(struct reader *reader, const char *from)
{
    char text[24];
    size_t len = (size_t)(reader->at - from);
    int64_t read;
    if (len < sizeof(text)) {
        memcpy(text, from, len);
        text[len] = '\0';
        if (text_int(text, INT64_MIN, INT64_MAX, &read))
            return json_integer(read);
    }
    return fault(reader, "an integer needs more than 64 bits; write it as a string");
}

static json_t *number(struct reader *reader)
{
    const char *from = reader->at;
    bool whole = true;
    next_is(reader, '-');
    bool zero = next_is(reader, '0');
    if (zero ? digits(reader) > 0 : digits(reader) == 0)
        return fault(reader, zero ? "a number begins with 0" : "a value is expected");
    if (next_is(reader, '.')) {
        whole = false;
        if (digits(reader) == 0)
            return fault(reader, "digits are expected behind the decimal point");
    }
    if (next_is(reader, 'e') || next_is(reader, 'E')) {
        whole = false;
        if (!next_is(reader, '+'))
            next_is(reader, '-');
        if (digits(reader) == 0)
            return fault(reader, "digits are expected in the exponent");
    }
    return whole ? integer(reader, from) : real(reader, from);
}

/* ---- arrays and objects ---- */

/* Behind the bracket. */
static json_t *array(struct reader *reader)
{
    json_t *array = json_array();
    skip_space(reader);
    if (next_is(reader, ']'))
        return array;
    do {
        json_t *item = value(reader);
        if (item == NULL)
            goto err0;
        json_array_append_new(array, item);
        skip_space(reader);
    } while (next_is(reader, ','));
    if (next_is(reader, ']'))
        return array;
    fault(reader, "',' or ']' is expected");
err0:
    json_decref(array);
    return NULL;
}

static bool member(struct reader *reader, json_t *object)
{
    skip_space(reader);
    if (!next_is(reader, '"'))
        return fault(reader, "a name in quotes is expected") != NULL;
    const char *from = reader->at;
    struct span name = string(reader);
    if (name.bytes == NULL)
        return false;
    /* The value may need the scratch buffer. */
    bool scratched = name.bytes == reader->scratch.data;
    char *copy = scratched ? strndup(name.bytes, name.len) : NULL;
    skip_space(reader);
    bool right = next_is(reader, ':');
    json_t *read = right ? value(reader) : fault(reader, "':' is expected");
    size_t before = json_object_size(object);
    if (read != NULL)
        json_object_setn_new_nocheck(object, scratched ? copy : name.bytes, name.len, read);
    free(copy);
    if (read != NULL && json_object_size(object) == before) {
        reader->at = from;
        return fault(reader, "a name is given twice") != NULL;
    }
    return read != NULL;
}

/* Behind the brace. */
static json_t *object(struct reader *reader)
{
    json_t *object = json_object();
    skip_space(reader);
    if (next_is(reader, '}'))
        return object;
    do {
        if (!member(reader, object))
            goto err0;
        skip_space(reader);
    } while (next_is(reader, ','));
    if (next_is(reader, '}'))
        return object;
    fault(reader, "',' or '}' is expected");
err0:
    json_decref(object);
    return NULL;
}

static bool word(struct reader *reader, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, text, len) != 0)
        return false;
    reader->at += len;
    return true;
}

static json_t *nested(struct reader *reader, json_t *(*read)(struct reader *))
{
    if (reader->depth == JSON_NESTING_MAX)
        return fault(reader, "nested too deep");
    reader->depth++;
    reader->at++;
    json_t *made = read(reader);
    reader->depth--;
    return made;
}

static json_t *value(struct reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end)
        return fault(reader, "the text ends where a value is expected");
    switch (*reader->at) {
    case '{':
        return nested(reader, object);
    case '[':
        return nested(reader, array);
    case '"':
        reader->at++;
        return string_value(reader);
    case 't':
        return word(reader, "true") ? json_true() : fault(reader, "a value is expected");
    case 'f':
        return word(reader, "false") ? json_false() : fault(reader, "a value is expected");
    case 'n':
        return word(reader, "null") ? json_null() : fault(reader, "a value is expected");
    default:
        return number(reader);
    }
}

static void locate(const struct reader *reader, struct json_fault *fault)
{
    *fault = (struct json_fault){ .what = reader->what, .line = 1, .column = 1 };
    for (const char *at = reader->start; at < reader->at; at++) {
        fault->column++;
        if (*at == '\n') {
            fault->line++;
            fault->column = 1;
        }
    }
}

json_t *json_read(const char *text, size_t len, struct json_fault *where)
{
    struct reader reader = { .start = text, .at = text, .end = text + len };
    json_t *read = value(&reader);
    if (read != NULL)
        skip_space(&reader);
    if (read != NULL && reader.at != reader.end) {
        json_decref(read);
        read = fault(&reader, "something follows the value");
    }
    buf_free(&reader.scratch);
    if (read == NULL)
        locate(&reader, where);
    return read;
}
