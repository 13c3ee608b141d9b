/* digits.h — whole numbers as decimal text, without a printf. */
#ifndef POSTBACKD_DIGITS_H
#define POSTBACKD_DIGITS_H

#include <stddef.h>
#include <stdint.h>

enum { DIGITS_OF_INT = 24 };
size_t digits_of_int(char out[DIGITS_OF_INT], int64_t value); /* NUL-terminated; gives its length */

#endif
