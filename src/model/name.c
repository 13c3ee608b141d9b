/* name.c — the characters that a name may not hold: one table of ranges, in order.
 *
 * From Unicode 15: the bidirectional controls that override or isolate (UAX #9 §2), the separators
 * of lines and paragraphs, format characters and fillers without a shape, noncharacters.
 */
#include "model/name.h"

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint32_t first, last;
    const char *what;
};

static const struct range refused[] = {
    { 0x0000, 0x001f, "a control character" },
    { 0x007f, 0x009f, "a control character" },
    { 0x00ad, 0x00ad, "a soft hyphen" },
    { 0x034f, 0x034f, "a character without a shape" },
    { 0x061c, 0x061c, "a mark of direction" },
    { 0x115f, 0x1160, "a character without a shape" },
    { 0x17b4, 0x17b5, "a character without a shape" },
    { 0x180b, 0x180f, "a character without a shape" },
    { 0x200b, 0x200b, "a space without width" },
    { 0x200e, 0x200f, "a mark of direction" },
    { 0x2028, 0x2029, "a line separator" },
    { 0x202a, 0x202e, "a character that changes the direction of text" },
    { 0x2060, 0x2065, "a character without a shape" },
    { 0x2066, 0x2069, "a character that changes the direction of text" },
    { 0x206a, 0x206f, "a character without a shape" },
    { 0x3164, 0x3164, "a character without a shape" },
    { 0xfdd0, 0xfdef, "a code point that is no character" },
    { 0xfeff, 0xfeff, "a byte order mark" },
    { 0xffa0, 0xffa0, "a character without a shape" },
    { 0xfff0, 0xfffb, "a character without a shape" },
    { 0x1d173, 0x1d17a, "a character without a shape" },
    { 0xe0000, 0xe001f, "a character without a shape" },
};

/* The next code point of valid UTF-8. */
static uint32_t next(const char **at)
{
    const unsigned char *byte = (const unsigned char *)*at;
    size_t more = byte[0] >= 0xf0 ? 3 : byte[0] >= 0xe0 ? 2 : byte[0] >= 0xc0 ? 1 : 0;
    uint32_t code = more == 0 ? byte[0] : byte[0] & (0x3fU >> more);
    for (size_t i = 1; i <= more && byte[i] != '\0'; i++)
        code = code << 6 | (byte[i] & 0x3fU);
    *at += more + 1;
    return code;
}

static const char *fault_of(uint32_t code)
{
    if ((code & 0xfffe) == 0xfffe) /* the last two of each plane */
        return "a code point that is no character";
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (code >= refused[i].first && code <= refused[i].last)
            return refused[i].what;
    }
    return NULL;
}

/* Spaces, joiners and selectors show nothing by themselves. */
static bool shows(uint32_t code)
{
    return code != ' ' && code != 0xa0 && code != 0x1680 && !(code >= 0x2000 && code <= 0x200d) &&
           code != 0x202f && code != 0x205f && code != 0x2800 && code != 0x3000 &&
           !(code >= 0xfe00 && code <= 0xfe0f) && !(code >= 0xe0020 && code <= 0xe01ef);
}

bool name_check(const char *utf8, const char *field, struct problems *problems)
{
    bool seen = *utf8 == '\0';
    if (!text_is_utf8(utf8, strlen(utf8))) {
        problems_add(problems, field, "must be UTF-8");
        return false;
    }
    for (const char *at = utf8; *at != '\0';) {
        uint32_t code = next(&at);
        const char *fault = fault_of(code);
        seen = seen || shows(code);
        if (fault == NULL)
            continue;
        problems_add(problems, field, "must not hold U+%04X, %s", (unsigned)code, fault);
        return false;
    }
    if (!seen)
        problems_add(problems, field, "must hold something that can be seen");
    return seen;
}
