/* json.h — reads JSON of outside bytes, strictly and fast.
 *
 * RFC 8259, UTF-8 only.  Refused besides: a name twice in an object, U+0000 in a string, nesting
 * deeper than JSON_NESTING_MAX, an integer that needs more than 64 bits, a real beyond what a
 * double holds.
 *
 * A number with a fraction or an exponent, and -0, is a JSON_REAL.  It is kept as its text: nothing
 * here is ever rounded.
 *
 * It is on the road of every event (DESIGN.md §8): json_scan() makes one flat array of a text, no
 * allocation a value; json_read() makes jansson's tree of that, for whoever wants to keep or
 * change it.
 */
#ifndef POSTBACKD_JSON_H
#define POSTBACKD_JSON_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_NESTING_MAX = 64 };

struct json_fault {
    const char *what; /* a sentence fragment: "a string is not closed" */
    int line, column; /* from 1; columns count bytes */
};

/* One value; what it holds stands behind it: an array's items, an object's members, each its name
 * (a JSON_STRING) and its value. */
struct json_value {
    json_type type;
    uint32_t size; /* values that it takes with all that it holds: value + size is the next */
    uint32_t len;  /* bytes of a string or a real; items of an array; members of an object */
    bool plain;    /* a string that had no escapes: may be written as it stands */
    union {
        const char *text; /* a string's: UTF-8, NUL-terminated, without any other NUL; a real's:
                             as it was written, not NUL-terminated */
        int64_t integer;
    };
};

struct json_values { /* all zeroes is an empty one; may be used for one text after the other */
    struct json_value *at;
    size_t count, room;
    char *decoded; /* the strings that had escapes */
    size_t decoded_len, decoded_room;
};

/* The values of a text, the outermost at out->at.  The text is changed (NULs take the place of
 * closing quotes) and must stay where it is as long as they are used.  False with *fault. */
bool json_scan(struct json_values *out, char *text, size_t len, struct json_fault *fault);
void json_values_free(struct json_values *values);

/* The member of that name, NULL: none, or not an object. */
const struct json_value *json_member(const struct json_value *object, const char *name);

/* The caller owns it.  NULL with *fault filled in.  No JSON_REAL is in it: for each there is what
 * json_number_text() knows, and to all others looks like an object, which is nowhere asked for. */
json_t *json_read(const char *text, size_t len, struct json_fault *fault);

/* The text of a number with a fraction or an exponent, as it was written; NULL: it is none.  The
 * value's. */
const char *json_number_text(const json_t *value);
/* What is wrong with such a number where a text is asked for: the end of a sentence. */
#define NUMBER_IS_NO_TEXT                                                                          \
    "is a number with a fraction or an exponent, which may have been rounded; write it as a "      \
    "string"
/* A tree of json_read() as compact text, its numbers as they were written. */
void json_write(struct buf *out, const json_t *value);

#endif
