/* fold.c — ranges of capitals, each with how its small letters are found.
 *
 * Where capitals and small letters take turns, `first` says which of the two has the even number.
 */
#include "base/fold.h"

#include <stdint.h>

enum { EVEN = 1, ODD = 2 }; /* capitals that have such a number; the next one is the small letter */

static const struct range {
    uint32_t from, to;
    int32_t shift; /* to the small letter; 0: by turns */
    int turns;
} ranges[] = {
    { 'A', 'Z', 32, 0 },
    { 0xC0, 0xD6, 32, 0 },
    { 0xD8, 0xDE, 32, 0 },
    { 0x100, 0x12F, 0, EVEN },
    { 0x130, 0x130, 'i' - 0x130, 0 },
    { 0x132, 0x137, 0, EVEN },
    { 0x139, 0x148, 0, ODD },
    { 0x14A, 0x177, 0, EVEN },
    { 0x178, 0x178, 0xFF - 0x178, 0 },
    { 0x179, 0x17E, 0, ODD },
    { 0x1CD, 0x1DC, 0, ODD },
    { 0x1DE, 0x1EF, 0, EVEN },
    { 0x1F8, 0x21F, 0, EVEN },
    { 0x222, 0x233, 0, EVEN },
    { 0x386, 0x386, 38, 0 },
    { 0x388, 0x38A, 37, 0 },
    { 0x38C, 0x38C, 64, 0 },
    { 0x38E, 0x38F, 63, 0 },
    { 0x391, 0x3A1, 32, 0 },
    { 0x3A3, 0x3AB, 32, 0 },
    { 0x3C2, 0x3C2, 1, 0 },
    { 0x400, 0x40F, 80, 0 },
    { 0x410, 0x42F, 32, 0 },
    { 0x460, 0x481, 0, EVEN },
    { 0x48A, 0x4BF, 0, EVEN },
    { 0x4C1, 0x4CE, 0, ODD },
    { 0x4D0, 0x52F, 0, EVEN },
    { 0x531, 0x556, 48, 0 },
    { 0x1E00, 0x1E95, 0, EVEN },
    { 0x1E9E, 0x1E9E, 0xDF - 0x1E9E, 0 },
    { 0x1EA0, 0x1EFF, 0, EVEN },
    { 0xFF21, 0xFF3A, 32, 0 },
};
enum { RANGES = sizeof(ranges) / sizeof(ranges[0]) };

static uint32_t fold(uint32_t character)
{
    for (int i = 0; i < RANGES && character >= ranges[i].from; i++) {
        const struct range *range = &ranges[i];
        if (character > range->to)
            continue;
        if (range->turns == 0)
            return character + (uint32_t)range->shift;
        return character % 2 == (range->turns == ODD ? 1 : 0) ? character + 1 : character;
    }
    return character;
}

/* How many bytes the character has that begins here; 0: it is none. */
static size_t read(const unsigned char *at, size_t len, uint32_t *character)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : at[0] >= 0xC2 ? 2 : 0;
    if (size == 0 || size > len)
        return 0;
    *character = size == 1 ? at[0] : at[0] & (0xFFU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        *character = *character << 6 | (at[i] & 0x3F);
    }
    return size;
}

/* None that the table gives has more than three bytes. */
static void write(struct buf *out, uint32_t character)
{
    char bytes[3];
    size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : 3;
    if (size == 1) {
        bytes[0] = (char)character;
    } else {
        for (size_t i = size - 1; i > 0; i--, character >>= 6)
            bytes[i] = (char)(0x80 | (character & 0x3F));
        bytes[0] = (char)((size == 2 ? 0xC0 : 0xE0) | character);
    }
    buf_add(out, bytes, size);
}

void fold_add(struct buf *out, const char *text, size_t len, size_t most)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + len;
    size_t left = most;
    while (at < end) {
        uint32_t character = 0;
        size_t size = read(at, (size_t)(end - at), &character);
        size_t taken = size > 0 ? size : 1;
        if (taken > left)
            return;
        uint32_t small = size > 0 ? fold(character) : 0;
        if (size > 0 && small != character)
            write(out, small);
        else
            buf_add(out, (const char *)at, taken);
        at += taken;
        left -= taken;
    }
}
