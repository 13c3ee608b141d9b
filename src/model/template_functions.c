/* template_functions.c — the functions of a token: {TransactionDate|date:%Y-%m-%d}.
 *
 * A table gives each function's name, whether it takes an argument, and what kind of value it
 * wants and gives.  What can be checked is checked when the template is compiled; at delivery no
 * function fails: a value that it cannot read becomes empty.
 */
#include "model/template_parts.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/date.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { DATE_CHECKED = 200, DATE_SHOWN = 400 /* %s has some digits more in other centuries */ };

static const int64_t longest_date = 1790812799999; /* Wednesday, 30 September 2026, 23:59:59 */

static const struct {
    const char *name;
    enum function function;
    const char *example; /* of its argument; NULL: takes none */
    bool wants_date;
    bool keeps_type;
    enum point_type gives; /* when it does not keep the type */
} functions[] = {
    { "unix", FUNCTION_UNIX, NULL, true, false, POINT_INTEGER },
    { "sha256", FUNCTION_SHA256, NULL, false, false, POINT_TEXT },
    { "md5", FUNCTION_MD5, NULL, false, false, POINT_TEXT },
    { "lower", FUNCTION_LOWER, NULL, false, false, POINT_TEXT },
    { "upper", FUNCTION_UPPER, NULL, false, false, POINT_TEXT },
    { "raw", FUNCTION_RAW, NULL, false, true, POINT_TEXT },
    { "date", FUNCTION_DATE, "date:%Y-%m-%d", true, false, POINT_TEXT },
    { "default", FUNCTION_DEFAULT, "default:none", false, true, POINT_TEXT },
};
enum { FUNCTION_COUNT = sizeof(functions) / sizeof(functions[0]) };

static const char *explain(char why[256], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *explain(char why[256], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, 256, format, args);
    va_end(args);
    return why;
}

static bool md5(const char *value, struct buf *out)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(value, strlen(value), hash, &len, EVP_md5(), NULL) != 1)
        return false;
    if (out != NULL)
        text_hex(out, hash, len);
    return true;
}

static size_t named(const char *text, size_t len)
{
    size_t i = 0;
    while (i < FUNCTION_COUNT &&
           (strlen(functions[i].name) != len || memcmp(functions[i].name, text, len) != 0))
        i++;
    return i;
}

/* What the table cannot say. */
static const char *check(enum function function, const char *argument, enum template_place place,
                         char why[256])
{
    char shown[DATE_CHECKED];
    if (function == FUNCTION_RAW && place != PLACE_URL && place != PLACE_TEXT)
        return explain(why, "raw works in URLs only: here it could break the body");
    if (function == FUNCTION_DATE && argument[0] == '\0')
        return explain(why, "date needs a pattern, as in date:%%Y-%%m-%%d");
    if (function == FUNCTION_DATE && !date_pattern(shown, sizeof(shown), argument, longest_date))
        return explain(why,
                       "the pattern of date has an unknown conversion or is too long; known are "
                       "%%Y %%m %%d %%H %%M %%S %%j %%y %%e %%b %%B %%a %%A %%p %%I %%Z %%z %%s "
                       "%%F %%T %%%%");
    if (function == FUNCTION_MD5 && !md5("", NULL))
        return explain(why, "the server's OpenSSL does not offer md5; use sha256");
    return NULL;
}

const char *template_function(struct part *part, enum template_place place, const char *text,
                              size_t len, char why[256])
{
    char clipped[CLIP_TEXT];
    const char *colon = memchr(text, ':', len);
    size_t name_len = colon != NULL ? (size_t)(colon - text) : len;
    size_t i = named(text, name_len);
    if (i == FUNCTION_COUNT)
        return explain(why,
                       "there is no function '%s'; there are unix, sha256, md5, lower, upper, raw, "
                       "date:PATTERN and default:TEXT",
                       clip(clipped, text, name_len));
    if (functions[i].example == NULL && colon != NULL)
        return explain(why, "%s takes no argument", functions[i].name);
    if (functions[i].example != NULL && colon == NULL)
        return explain(why, "%s needs an argument, as in %s", functions[i].name,
                       functions[i].example);
    if (functions[i].wants_date && part->type != POINT_DATE)
        return explain(why, "%s works on dates, and this is of type %s", functions[i].name,
                       point_type_name(part->type));
    if (part->step_count == TEMPLATE_FUNCTIONS_MAX)
        return explain(why, "at most %d functions can follow each other", TEMPLATE_FUNCTIONS_MAX);
    char *argument = colon != NULL ? must_copy_bytes(colon + 1, len - name_len - 1) : must_copy("");
    if (part->steps == NULL)
        part->steps = must_alloc(TEMPLATE_FUNCTIONS_MAX * sizeof(*part->steps));
    part->steps[part->step_count++] = (struct step){ functions[i].function, argument };
    if (!functions[i].keeps_type)
        part->type = functions[i].gives;
    if (functions[i].function == FUNCTION_RAW && place == PLACE_URL)
        part->escape = ESCAPE_URL_RAW;
    return check(functions[i].function, argument, place, why);
}

/* ---- at delivery ---- */

static void write_unix(const char *value, struct buf *out)
{
    int64_t at_ms;
    if (date_parse(value, &at_ms))
        buf_int(out, (at_ms - ((at_ms % 1000) + 1000) % 1000) / 1000);
}

static void write_date(const char *value, const char *pattern, struct buf *out)
{
    int64_t at_ms;
    char shown[DATE_SHOWN];
    if (date_parse(value, &at_ms) && date_pattern(shown, sizeof(shown), pattern, at_ms))
        buf_str(out, shown);
}

static void write_sha256(const char *value, struct buf *out)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)value, strlen(value));
    text_hex(out, hash, sizeof(hash));
}

/* ASCII only: what other letters do depends on the language. */
static void write_case(const char *value, char first, char last, struct buf *out)
{
    for (; *value != '\0'; value++)
        buf_char(out, *value >= first && *value <= last ? (char)(*value ^ 0x20) : *value);
}

static const char *apply(const struct step *step, const char *value, struct buf *out)
{
    if (step->function == FUNCTION_RAW)
        return value;
    if (step->function == FUNCTION_DEFAULT)
        return value[0] != '\0' ? value : step->argument;
    buf_reset(out);
    if (value[0] == '\0')
        return "";
    switch (step->function) {
    case FUNCTION_UNIX:
        write_unix(value, out);
        break;
    case FUNCTION_SHA256:
        write_sha256(value, out);
        break;
    case FUNCTION_MD5:
        md5(value, out);
        break;
    case FUNCTION_LOWER:
        write_case(value, 'A', 'Z', out);
        break;
    case FUNCTION_UPPER:
        write_case(value, 'a', 'z', out);
        break;
    case FUNCTION_DATE:
        write_date(value, step->argument, out);
        break;
    case FUNCTION_DEFAULT:
    case FUNCTION_RAW:
        break;
    }
    return buf_text(out);
}

const char *template_value(const struct part *part, const char *value, struct buf scratch[2],
                           int64_t *work)
{
    for (size_t i = 0; i < part->step_count; i++) {
        *work -= (int64_t)strlen(value);
        if (*work < 0)
            return NULL;
        struct buf *out = value == scratch[0].data ? &scratch[1] : &scratch[0];
        value = apply(&part->steps[i], value, out);
    }
    return value;
}
