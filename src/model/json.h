/* json.h — reads JSON of outside bytes, strictly and fast.
 *
 * RFC 8259, UTF-8 only.  Refused besides: a name twice in an object, U+0000 in a string, nesting
 * deeper than JSON_NESTING_MAX, an integer that needs more than 64 bits, a real beyond what a
 * double holds.
 *
 * It is on the road of every event (DESIGN.md §8): json_scan() makes one flat array of a text, no
 * allocation a value; json_read() makes jansson's tree of that, for whoever wants to keep or
 * change it.
 */
#ifndef POSTBACKD_JSON_H
#define POSTBACKD_JSON_H

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
    uint32_t len;  /* bytes of a string; items of an array; members of an object */
    bool plain;    /* a string that had no escapes: may be written as it stands */
    union {
        const char *text; /* a string's: UTF-8, NUL-terminated, without any other NUL */
        int64_t integer;
        double real;
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

/* The caller owns it.  NULL with *fault filled in. */
json_t *json_read(const char *text, size_t len, struct json_fault *fault);

#endif
