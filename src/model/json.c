/* json.c — a recursive-descent reader over one span of bytes.
 *
 * Values are appended to one array as they are found; an array or object gets its size when it is
 * closed.  A string without escapes, the usual one, stays where it stands: its closing quote
 * becomes the NUL behind it.  The others are put together in one block, which the text's length
 * bounds (an escape is never shorter than what it means, and a string loses its quotes).  The first
 * fault stops everything: `at` then stays where it was found.
 *
 * The rule that must never break: no byte at or behind `end` is looked at.
 */
#include "model/json.h"

#include "base/fail.h"
#include "base/map.h"
#include "base/text.h"
#include "model/escape.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUES_FIRST = 40, /* an event's; up to 1,000 bytes malloc() is at its fastest */
    NAMES_FEW = 32,
};

struct reader {
    char *start, *at, *end;
    const char *what; /* the first fault; NULL: none */
    int depth;
    struct json_values *out;
};

static bool value(struct reader *reader);

static bool fault(struct reader *reader, const char *what)
{
    if (reader->what == NULL)
        reader->what = what;
    return false;
}

/* Valid until the next one. */
static struct json_value *append(struct reader *reader, json_type type)
{
    struct json_values *out = reader->out;
    if (out->count == out->room) {
        out->room = out->room == 0 ? VALUES_FIRST : out->room * 2;
        out->at = must_resize(out->at, out->room * sizeof(out->at[0]));
    }
    struct json_value *made = &out->at[out->count++];
    *made = (struct json_value){ .type = type, .size = 1 };
    return made;
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

static void add_char(struct reader *reader, int c)
{
    reader->out->decoded[reader->out->decoded_len++] = (char)c;
}

static void add_utf8(struct reader *reader, int code)
{
    if (code < 0x80) {
        add_char(reader, code);
        return;
    }
    if (code < 0x800) {
        add_char(reader, 0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            add_char(reader, 0xe0 | code >> 12);
        } else {
            add_char(reader, 0xf0 | code >> 18);
            add_char(reader, 0x80 | (code >> 12 & 0x3f));
        }
        add_char(reader, 0x80 | (code >> 6 & 0x3f));
    }
    add_char(reader, 0x80 | (code & 0x3f));
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
        return fault(reader, "\\u is not followed by the four hex digits of a character");
    if (code == 0)
        return fault(reader, "\\u0000 is not taken");
    add_utf8(reader, code);
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
        return fault(reader, "an unknown escape behind \\");
    reader->at++;
    add_char(reader, bytes[known - names]);
    return true;
}

/* The high bit of each byte that is a control character, a quote or a backslash; above the lowest
 * such byte others may be marked too. */
static uint64_t marked(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return (((word - ones * ' ') & ~word) | ((quote - ones) & ~quote) |
            ((backslash - ones) & ~backslash)) &
           highs;
}

/* To the next byte that needs a look; *wide: bytes outside ASCII were among them.  Eight bytes at
 * once: most of a text goes by here. */
static void skip_plain(struct reader *reader, bool *wide)
{
    char *at = reader->at;
    unsigned char all = 0;
    uint64_t word, wides = 0;
    while (reader->end - at >= (ptrdiff_t)sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        uint64_t marks = marked(word);
        if (marks == 0) {
            wides |= word;
            at += sizeof(word);
            continue;
        }
        int plain = __builtin_ctzll(marks) / 8;
        wides |= word & (((uint64_t)1 << plain * 8) - 1);
        at += plain;
        break;
    }
    while (at < reader->end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
        all |= (unsigned char)*at++;
    *wide = *wide || all >= 0x80 || (wides & 0x8080808080808080u) != 0;
    reader->at = at;
}

static void keep_decoded(struct reader *reader, const char *run)
{
    struct json_values *out = reader->out;
    size_t len = (size_t)(reader->at - run), most = (size_t)(reader->end - reader->start);
    if (out->decoded_room < most) { /* nothing is in it yet: it is made for a whole text */
        free(out->decoded);
        out->decoded = must_resize(NULL, most);
        out->decoded_room = most;
    }
    memcpy(out->decoded + out->decoded_len, run, len);
    out->decoded_len += len;
}

/* Decoded, up to the closing quote; the run before the first escape is behind it already.  NULL: a
 * fault. */
static const char *escaped(struct reader *reader, const char *run, size_t *len, bool *wide)
{
    size_t from = reader->out->decoded_len;
    for (;;) {
        keep_decoded(reader, run);
        if (reader->at == reader->end || *reader->at != '\\')
            break;
        reader->at++;
        if (!escape(reader))
            return NULL;
        run = reader->at;
        skip_plain(reader, wide);
    }
    *len = reader->out->decoded_len - from;
    return reader->out->decoded + from;
}

/* Behind the opening quote, to behind the closing one. */
static bool string(struct reader *reader)
{
    const char *text = reader->at;
    bool wide = false;
    skip_plain(reader, &wide);
    size_t len = (size_t)(reader->at - text);
    bool plain = reader->at == reader->end || *reader->at != '\\';
    if (!plain)
        text = escaped(reader, text, &len, &wide);
    if (text == NULL)
        return false;
    if (reader->at == reader->end)
        return fault(reader, "a string is not closed");
    if (*reader->at != '"')
        return fault(reader, "a control character in a string; write it as \\u00XX");
    if (wide && !text_is_utf8(text, len))
        return fault(reader, "a string is not UTF-8");
    if (plain)
        *reader->at = '\0';
    else
        add_char(reader, '\0');
    reader->at++;
    struct json_value *made = append(reader, JSON_STRING);
    made->text = text;
    made->len = (uint32_t)len;
    made->plain = plain;
    return true;
}

/* ---- numbers ---- */

static size_t digits(struct reader *reader)
{
    const char *from = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return (size_t)(reader->at - from);
}

static bool real(struct reader *reader, const char *from)
{
    char text[512];
    size_t len = (size_t)(reader->at - from);
    if (len >= sizeof(text))
        return fault(reader, "a number is too long");
    memcpy(text, from, len);
    text[len] = '\0';
    if (!isfinite(strtod(text, NULL)))
        return fault(reader, "a number is too large");
    struct json_value *made = append(reader, JSON_REAL);
    made->text = from;
    made->len = (uint32_t)len;
    return true;
}

static bool integer(struct reader *reader, const char *from)
{
    char text[24];
    size_t len = (size_t)(reader->at - from);
    int64_t read;
    if (len < sizeof(text)) {
        memcpy(text, from, len);
        text[len] = '\0';
        if (text_int(text, INT64_MIN, INT64_MAX, &read)) {
            append(reader, JSON_INTEGER)->integer = read;
            return true;
        }
    }
    return fault(reader, "an integer needs more than 64 bits; write it as a string");
}

static bool number(struct reader *reader)
{
    const char *from = reader->at;
    bool whole = true;
    next_is(reader, '-');
    bool zero = next_is(reader, '0');
    whole = !(zero && *from == '-'); /* an integer would lose the sign of -0 */
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

static bool closed(struct reader *reader, size_t open, uint32_t len)
{
    struct json_value *whole = &reader->out->at[open];
    whole->len = len;
    whole->size = (uint32_t)(reader->out->count - open);
    return true;
}

/* Behind the bracket; its value is at `open`. */
static bool array(struct reader *reader, size_t open)
{
    uint32_t len = 0;
    skip_space(reader);
    if (next_is(reader, ']'))
        return closed(reader, open, len);
    do {
        if (!value(reader))
            return false;
        len++;
        skip_space(reader);
    } while (next_is(reader, ','));
    return next_is(reader, ']') ? closed(reader, open, len)
                                : fault(reader, "',' or ']' is expected");
}

/* The names of one object: few are compared one by one, and only those that may be the same. */
struct names {
    size_t open;
    uint32_t count;
    uint64_t seen; /* a bit for each name, the same for equal ones */
    struct map many;
};

static uint64_t bit_of(const struct json_value *name)
{
    unsigned mixed = name->len;
    if (name->len > 0)
        mixed += 7u * (unsigned char)name->text[0] + 31u * (unsigned char)name->text[name->len - 1];
    return (uint64_t)1 << (mixed & 63);
}

static bool among_few(const struct reader *reader, const struct names *names,
                      const struct json_value *name)
{
    const struct json_value *at = &reader->out->at[names->open + 1];
    for (uint32_t i = 0; i < names->count; i++) {
        if (at->len == name->len && memcmp(at->text, name->text, name->len) == 0)
            return true;
        at += 1 + at[1].size;
    }
    return false;
}

static bool among_many(const struct reader *reader, struct names *names,
                       const struct json_value *name)
{
    const struct json_value *at = &reader->out->at[names->open + 1];
    for (uint32_t i = 0; names->many.count < names->count && i < names->count; i++) {
        map_put_text(&names->many, at->text, at->len, names);
        at += 1 + at[1].size;
    }
    return map_put_text(&names->many, name->text, name->len, names) != NULL;
}

/* Whether the name just read was there before. */
static bool is_again(const struct reader *reader, struct names *names)
{
    const struct json_value *name = &reader->out->at[reader->out->count - 1];
    uint64_t bit = bit_of(name);
    bool again = names->count >= NAMES_FEW
                     ? among_many(reader, names, name)
                     : (names->seen & bit) != 0 && among_few(reader, names, name);
    names->seen |= bit;
    names->count++;
    return again;
}

static bool member(struct reader *reader, struct names *names)
{
    skip_space(reader);
    if (!next_is(reader, '"'))
        return fault(reader, "a name in quotes is expected");
    char *from = reader->at;
    if (!string(reader))
        return false;
    if (is_again(reader, names)) {
        reader->at = from;
        return fault(reader, "a name is given twice");
    }
    skip_space(reader);
    if (!next_is(reader, ':'))
        return fault(reader, "':' is expected");
    return value(reader);
}

static bool members(struct reader *reader, struct names *names)
{
    do {
        if (!member(reader, names))
            return false;
        skip_space(reader);
    } while (next_is(reader, ','));
    return next_is(reader, '}') ? closed(reader, names->open, names->count)
                                : fault(reader, "',' or '}' is expected");
}

/* Behind the brace; its value is at `open`. */
static bool object(struct reader *reader, size_t open)
{
    struct names names = { .open = open };
    skip_space(reader);
    if (next_is(reader, '}'))
        return closed(reader, open, 0);
    bool good = members(reader, &names);
    map_free(&names.many);
    return good;
}

static bool word(struct reader *reader, const char *text, json_type type)
{
    size_t len = strlen(text);
    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, text, len) != 0)
        return fault(reader, "a value is expected");
    reader->at += len;
    append(reader, type);
    return true;
}

static bool nested(struct reader *reader, json_type type,
                   bool (*read)(struct reader *, size_t open))
{
    if (reader->depth == JSON_NESTING_MAX)
        return fault(reader, "nested too deep");
    reader->depth++;
    reader->at++;
    append(reader, type);
    bool good = read(reader, reader->out->count - 1);
    reader->depth--;
    return good;
}

static bool value(struct reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end)
        return fault(reader, "the text ends where a value is expected");
    switch (*reader->at) {
    case '{':
        return nested(reader, JSON_OBJECT, object);
    case '[':
        return nested(reader, JSON_ARRAY, array);
    case '"':
        reader->at++;
        return string(reader);
    case 't':
        return word(reader, "true", JSON_TRUE);
    case 'f':
        return word(reader, "false", JSON_FALSE);
    case 'n':
        return word(reader, "null", JSON_NULL);
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

bool json_scan(struct json_values *out, char *text, size_t len, struct json_fault *where)
{
    struct reader reader = { .start = text, .at = text, .end = text + len, .out = out };
    out->count = out->decoded_len = 0;
    bool good = len < UINT32_MAX / 2 ? value(&reader) : fault(&reader, "the text is too long");
    if (good)
        skip_space(&reader);
    if (good && reader.at != reader.end)
        good = fault(&reader, "something follows the value");
    if (!good)
        locate(&reader, where);
    return good;
}

void json_values_free(struct json_values *values)
{
    free(values->at);
    if (values->decoded_len > 0) /* it may hold a password, as the text may */
        explicit_bzero(values->decoded, values->decoded_len);
    free(values->decoded);
    *values = (struct json_values){ 0 };
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
    size_t len = strlen(name);
    const struct json_value *at = object + 1;
    for (uint32_t i = 0; object->type == JSON_OBJECT && i < object->len; i++) {
        if (at->len == len && memcmp(at->text, name, len) == 0)
            return at + 1;
        at += 1 + at[1].size;
    }
    return NULL;
}

/* ---- jansson's tree ---- */

/* A member of this name is in no text: U+0000 is refused. */
static const char number_name[] = "";
enum { NUMBER_NAME_LEN = 1 };

static json_t *number_new(const char *text, size_t len)
{
    json_t *made = json_object();
    json_object_setn_new_nocheck(made, number_name, NUMBER_NAME_LEN,
                                 json_stringn_nocheck(text, len));
    return made;
}

const char *json_number_text(const json_t *value)
{
    return json_string_value(json_object_getn(value, number_name, NUMBER_NAME_LEN));
}

static json_t *tree(const struct json_value *value)
{
    const struct json_value *at = value + 1;
    json_t *made;
    switch (value->type) {
    case JSON_OBJECT:
        made = json_object();
        for (uint32_t i = 0; i < value->len; i++, at += 1 + at[1].size)
            json_object_setn_new_nocheck(made, at->text, at->len, tree(at + 1));
        return made;
    case JSON_ARRAY:
        made = json_array();
        for (uint32_t i = 0; i < value->len; i++, at += at->size)
            json_array_append_new(made, tree(at));
        return made;
    case JSON_STRING:
        return json_stringn_nocheck(value->text, value->len);
    case JSON_INTEGER:
        return json_integer(value->integer);
    case JSON_REAL:
        return number_new(value->text, value->len);
    case JSON_TRUE:
        return json_true();
    case JSON_FALSE:
        return json_false();
    case JSON_NULL:
        break;
    }
    return json_null();
}

json_t *json_read(const char *text, size_t len, struct json_fault *where)
{
    struct json_values values = { 0 };
    char *copy = must_copy_bytes(text, len);
    json_t *read = json_scan(&values, copy, len, where) ? tree(values.at) : NULL;
    json_values_free(&values);
    explicit_bzero(copy, len);
    free(copy);
    return read;
}

static void write_members(struct buf *out, const json_t *object)
{
    const char *name;
    size_t name_len;
    json_t *member;
    char before = '{';
    json_object_keylen_foreach((json_t *)object, name, name_len, member)
    {
        buf_char(out, before);
        before = ',';
        escape_add(out, ESCAPE_JSON_QUOTED, name, name_len);
        buf_char(out, ':');
        json_write(out, member);
    }
    buf_str(out, before == '{' ? "{}" : "}");
}

static void write_items(struct buf *out, const json_t *array)
{
    size_t i;
    json_t *item;
    char before = '[';
    json_array_foreach(array, i, item)
    {
        buf_char(out, before);
        before = ',';
        json_write(out, item);
    }
    buf_str(out, before == '[' ? "[]" : "]");
}

void json_write(struct buf *out, const json_t *value)
{
    const char *number = json_number_text(value);
    if (number != NULL)
        buf_str(out, number);
    else if (json_is_object(value))
        write_members(out, value);
    else if (json_is_array(value))
        write_items(out, value);
    else if (json_is_string(value))
        escape_add(out, ESCAPE_JSON_QUOTED, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_int(out, json_integer_value(value));
    else
        buf_str(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
}
