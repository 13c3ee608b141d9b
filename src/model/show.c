/* show.c — members of the API's objects.
 *
 * The API shows every scalar as a string and an empty value as "".  All rows that the store gives
 * out as JSON are put together by these few functions, so that the rule is kept in one place.
 */
#include "model/show.h"

#include "base/buf.h"
#include "base/fail.h"
#include "model/date.h"
#include "model/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void show_text(json_t *object, const char *name, const char *text)
{
    json_t *value = json_string(text != NULL ? text : "");

    if (value == NULL)
        bug("%s is not UTF-8", name);
    json_object_set_new(object, name, value);
}

void show_int(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, json_sprintf("%" PRId64, value));
}

void show_id(json_t *object, const char *name, int64_t id)
{
    if (id == 0)
        show_text(object, name, "");
    else
        show_int(object, name, id);
}

void show_bool(json_t *object, const char *name, bool value)
{
    show_text(object, name, value ? "true" : "false");
}

void show_date(json_t *object, const char *name, int64_t at_ms)
{
    char text[DATE_TEXT];

    show_text(object, name, date_format(text, at_ms));
}

void show_money(json_t *object, const char *name, int64_t minor, const char *currency)
{
    char text[MONEY_TEXT];

    show_text(object, name, money_format(text, minor, currency));
}

void show_uri(json_t *object, const char *name, const char *format, ...)
{
    struct buf uri = { .limit = 512 };
    va_list args;

    va_start(args, format);
    buf_vfmt(&uri, format, args);
    va_end(args);
    show_text(object, name, buf_text(&uri));
    buf_free(&uri);
}

void show_cut(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);

    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(out, text, len);
    out[len] = '\0';
}
