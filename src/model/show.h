/* show.h — members of the API's objects, where every scalar is a string. */
#ifndef POSTBACKD_SHOW_H
#define POSTBACKD_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

void show_text(json_t *object, const char *name, const char *text); /* NULL: "" */
void show_int(json_t *object, const char *name, int64_t value);
void show_id(json_t *object, const char *name, int64_t id); /* 0: "" */
void show_bool(json_t *object, const char *name, bool value);
void show_date(json_t *object, const char *name, int64_t at_ms); /* DATE_NONE: "" */
void show_money(json_t *object, const char *name, int64_t minor, const char *currency);
void show_uri(json_t *object, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Copies what fits, never half a character, so that the copy is UTF-8 when the text is. */
void show_cut(char *out, size_t size, const char *text);

#endif
