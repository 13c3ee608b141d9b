/* fields.c — one member of a flat JSON object, checked.
 *
 * Every reader goes through fields_text(), which turns the member into trimmed text and checks
 * what all texts share.  A number stays the text that the client wrote, and money is read from
 * that, so no amount is ever computed in floating point.
 */
#include "model/fields.h"

#include "base/digits.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/text.h"
#include "model/date.h"
#include "model/json.h"
#include "model/money.h"
#include "model/name.h"
#include "model/placeholder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fields_label(const struct fields *fields, const char *name)
{
    return fields->label != NULL ? fields->label(name) : name;
}

static char *trimmed(const char *text)
{
    static const char spaces[] = " \t\r\n";
    text += strspn(text, spaces);
    size_t len = strlen(text);
    while (len > 0 && strchr(spaces, text[len - 1]) != NULL)
        len--;
    return must_copy_bytes(text, len);
}

/* The member as text; NULL when it is no scalar. */
static char *scalar(const json_t *member)
{
    char number[DIGITS_OF_INT];
    if (json_number_text(member) != NULL)
        return must_copy(json_number_text(member));
    switch (json_typeof(member)) {
    case JSON_STRING:
        return trimmed(json_string_value(member));
    case JSON_INTEGER:
        digits_of_int(number, json_integer_value(member));
        return must_copy(number);
    case JSON_NULL:
        return must_copy("");
    default:
        return NULL;
    }
}

static bool has_control(const char *text, bool lines_allowed)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool line = c == '\n' || c == '\r' || c == '\t';
        if ((c < 0x20 || c == 0x7f) && !(line && lines_allowed))
            return true;
    }
    return false;
}

/* What is wrong with the text, as the end of a sentence; NULL: nothing.  The length is checked by
 * the caller, who knows the figure. */
static const char *wrong_with(const char *text, unsigned flags)
{
    if (has_control(text, flags & FIELD_LINES))
        return (flags & FIELD_LINES) != 0 ? "must not hold control characters"
                                          : "must be one line without control characters";
    if ((flags & FIELD_WEB_ADDRESS) != 0 && strncasecmp(text, "http://", 7) != 0 &&
        strncasecmp(text, "https://", 8) != 0)
        return "must be a web address that starts with http:// or https://";
    if ((flags & FIELD_IDENTIFIER) != 0 && placeholder_is(text))
        return PLACEHOLDER_WRONG;
    return NULL;
}

void fields_only(const struct fields *fields, const char *const *names)
{
    const char *member;
    json_t *value;

    json_object_foreach((json_t *)fields->from, member, value)
    {
        const char *const *name = names;
        while (*name != NULL && strcmp(*name, member) != 0)
            name++;
        if (*name == NULL)
            problems_add(fields->problems, member, "is not a field of this request");
    }
}

char *fields_text(const struct fields *fields, const char *name, size_t most, unsigned flags,
                  const char *meaning)
{
    const char *label = fields_label(fields, name);
    const json_t *member = json_object_get(fields->from, name);
    char *text = member != NULL ? scalar(member) : must_copy("");
    if (text == NULL) {
        problems_add(fields->problems, label, "must be a text or a number");
        return NULL;
    }
    const char *wrong = wrong_with(text, flags);
    if (json_number_text(member) != NULL && (flags & FIELD_NUMBER) == 0)
        wrong = NUMBER_IS_NO_TEXT;
    if (text[0] == '\0') {
        if (meaning != NULL)
            problems_add(fields->problems, label, "is required: %s", meaning);
    } else if (wrong != NULL) {
        problems_add(fields->problems, label, "%s", wrong);
    } else if (text_length(text) > most) {
        problems_add(fields->problems, label, "must be at most %zu characters; it has %zu", most,
                     text_length(text));
    } else if ((flags & FIELD_NAME) == 0 || name_check(text, label, fields->problems)) {
        return text;
    }
    free(text);
    return NULL;
}

int64_t fields_id(const struct fields *fields, const char *name, const char *meaning)
{
    char *text = fields_text(fields, name, 40, FIELD_NUMBER, meaning);
    int64_t id = 0;
    if (text != NULL && (!id_parse(text, &id) || id == 0)) {
        problems_add(fields->problems, fields_label(fields, name),
                     "must be a whole number above 0, such as 1001");
        id = 0;
    }
    free(text);
    return id;
}

int64_t fields_date(const struct fields *fields, const char *name, int64_t now_ms, int64_t ahead_ms,
                    const char *meaning)
{
    char *text = fields_text(fields, name, 40, FIELD_NUMBER, meaning);
    if (text == NULL)
        return DATE_NONE;
    int64_t at = DATE_NONE;
    bool whole_day;
    if (!date_parse_day(text, &at, &whole_day)) {
        problems_add(fields->problems, fields_label(fields, name), DATE_WANTED);
    } else if (now_ms != DATE_NONE && date_is_future(at, whole_day, now_ms, ahead_ms)) {
        problems_add(fields->problems, fields_label(fields, name),
                     "must not be in the future; it is %s", text);
        at = DATE_NONE;
    }
    free(text);
    return at;
}

int64_t fields_most(const char *currency)
{
    int64_t most = AMOUNT_MOST;
    for (int i = money_decimals(currency); i > 0; i--)
        most *= 10;
    return most;
}

int64_t fields_amount(const struct fields *fields, const char *name, const char *text,
                      const char *currency, bool positive)
{
    const char *label = fields_label(fields, name);
    int64_t minor = MONEY_NONE;
    const char *wrong = money_parse(text, currency, &minor);
    if (wrong != NULL) {
        problems_add(fields->problems, label, "%s", wrong);
        return MONEY_NONE;
    }
    if (minor < (positive ? 1 : 0) || minor > fields_most(currency)) {
        problems_add(fields->problems, label, "must be %s and at most %d",
                     positive ? "above 0" : "0 or more", AMOUNT_MOST);
        return MONEY_NONE;
    }
    return minor;
}

int64_t fields_money(const struct fields *fields, const char *name, const char *currency,
                     bool positive, const char *meaning)
{
    char *text = fields_text(fields, name, 40, FIELD_NUMBER, meaning);
    int64_t minor =
        text != NULL ? fields_amount(fields, name, text, currency, positive) : MONEY_NONE;
    free(text);
    return minor;
}
