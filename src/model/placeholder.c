/* placeholder.c — the notations of tracking tools, templates and mailers, in one table. */
#include "model/placeholder.h"

#include "base/buf.h"
#include "base/text.h"

#include <stddef.h>
#include <string.h>

static const struct notation {
    const char *open, *close;
} notations[] = {
    { "{", "}" },    { "{{", "}}" },  { "{{{", "}}}" }, { "${", "}" },  { "#{", "}" },
    { "%{", "}" },   { "@{", "}" },   { "[", "]" },     { "[[", "]]" }, { "[%", "%]" },
    { "%", "%" },    { "%%", "%%" },  { "#", "#" },     { "##", "##" }, { "<", ">" },
    { "<<", ">>" },  { "<%=", "%>" }, { "<%", "%>" },   { "{%", "%}" }, { "!", "!" },
    { "!!", "!!" },  { "@", "@" },    { "@@", "@@" },   { "$", "$" },   { "$$", "$$" },
    { "__", "__" },  { "*|", "|*" },  { "((", "))" },   { "|", "|" },   { "{$", "}" },
    { "{!", "}" },   { "{#", "}" },   { "[@", "]" },    { "$(", ")" },  { "%(", ")s" },
    { "{{$", "}}" }, { "~", "~" },    { "$[", "]" },
};
enum { DIGITS_MOST = 2 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

/* Spaces at both ends aside. */
static bool is_name(const char *text, size_t len)
{
    static const char others[] = "-.:| ";
    int digits = 0;
    for (; len > 0 && *text == ' '; text++)
        len--;
    while (len > 0 && text[len - 1] == ' ')
        len--;
    if (len == 0 || !is_letter(*text))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        digits += digit;
        if (!digit && !is_letter(text[i]) && strchr(others, text[i]) == NULL)
            return false;
    }
    return digits <= DIGITS_MOST;
}

static bool is_written(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof(notations) / sizeof(notations[0]); i++) {
        size_t open = strlen(notations[i].open), close = strlen(notations[i].close);
        if (len > open + close && memcmp(text, notations[i].open, open) == 0 &&
            memcmp(text + len - close, notations[i].close, close) == 0 &&
            is_name(text + open, len - open - close))
            return true;
    }
    return false;
}

bool placeholder_is(const char *text)
{
    struct buf decoded = { 0 };
    bool is = is_written(text);
    if (!is && strchr(text, '%') != NULL)
        is = text_percent_decode(&decoded, text, strlen(text), false) &&
             is_written(buf_text(&decoded));
    buf_free(&decoded);
    return is;
}
