/* digits.c — two digits at a time. */
#include "base/digits.h"

#include <string.h>

/* "00" to "99" */
static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

size_t digits_of_int(char out[DIGITS_OF_INT], int64_t value)
{
    char digits[DIGITS_OF_INT];
    size_t at = sizeof(digits), len = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; rest >= 100; rest /= 100) {
        at -= 2;
        memcpy(digits + at, pairs + rest % 100 * 2, 2);
    }
    if (rest >= 10)
        digits[--at] = pairs[rest * 2 + 1];
    digits[--at] = rest >= 10 ? pairs[rest * 2] : (char)('0' + rest);
    if (value < 0)
        out[len++] = '-';
    memcpy(out + len, digits + at, sizeof(digits) - at);
    len += sizeof(digits) - at;
    out[len] = '\0';
    return len;
}
