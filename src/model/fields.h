/* fields.h — reading named values out of one flat JSON object (a form, a JSON body, a CSV row).
 *
 * Each function looks at one member, adds a problem when it is wrong, and goes on, so that all
 * wrong fields are named at once.  Texts are trimmed; "", spaces and null count as not given.
 * `meaning` is the end of the sentence "is required: …"; NULL: the field may be missing.
 *
 * A JSON integer is taken as its digits.  A number with a fraction or an exponent is no text: the
 * program that wrote it may have rounded an id (NUMBER_IS_NO_TEXT).  Amounts take it, exactly
 * as it was written.
 */
#ifndef POSTBACKD_FIELDS_H
#define POSTBACKD_FIELDS_H

#include "base/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fields {
    const json_t *from;
    const char *(*label)(const char *); /* the name that the client knows; NULL: as it is */
    struct problems *problems;
};

enum {
    FIELD_LINES = 1,
    FIELD_WEB_ADDRESS = 4,
    FIELD_IDENTIFIER = 16, /* it tells one from another: an unfilled placeholder is refused */
    FIELD_NAME = 32,       /* people read it: name.h */
    FIELD_NUMBER = 8, /* what is read is a number: any JSON number is taken, as it was written */
};
/* No sale and no payout above this, in units of any currency (DOMAIN: inquiry fields). */
enum { AMOUNT_MOST = 5000000 };

const char *fields_label(const struct fields *fields, const char *name);

/* Members that are not in the NULL-ended list get a problem each. */
void fields_only(const struct fields *fields, const char *const *names);
/* The value, owned by the caller; NULL: not given or wrong.  `most` counts characters.  Without
 * FIELD_LINES a line break is refused; other control characters always are. */
char *fields_text(const struct fields *fields, const char *name, size_t most, unsigned flags,
                  const char *meaning);
/* A number above 0; 0: not given or wrong. */
int64_t fields_id(const struct fields *fields, const char *name, const char *meaning);
/* DATE_NONE: not given or wrong.  date_is_future() by so many ms ahead of now is wrong; a now_ms of
 * DATE_NONE: any date is right. */
int64_t fields_date(const struct fields *fields, const char *name, int64_t now_ms, int64_t ahead_ms,
                    const char *meaning);
/* MONEY_NONE: not given or wrong.  From 0 (or above 0, if `positive`) to AMOUNT_MOST. */
int64_t fields_money(const struct fields *fields, const char *name, const char *currency,
                     bool positive, const char *meaning);
/* AMOUNT_MOST in minor units. */
int64_t fields_most(const char *currency);
/* The check of fields_money on a text that was read before. */
int64_t fields_amount(const struct fields *fields, const char *name, const char *text,
                      const char *currency, bool positive);

#endif
