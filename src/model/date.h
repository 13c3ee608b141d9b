/* date.h — ISO 8601 dates as milliseconds since 1970-01-01 UTC.
 *
 * Read: 2026-11-23, 2026-11-23T18:40, …18:40:17, …17.123 or …17,123, with Z, +01, +01:00 or +0100;
 * the basic format, 20261123T184017Z; a space for the T, and lower-case letters (RFC 3339). Without
 * an offset UTC.  Finer fractions than milliseconds are cut off.  Years 0001 to 9999.  Not read, of
 * what ISO 8601 has: DATE_WANTED.
 * Written: 2026-11-23T18:40:17+00:00 (milliseconds only where asked).
 */
#ifndef POSTBACKD_DATE_H
#define POSTBACKD_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define DATE_NONE INT64_MIN /* no date was given; formatted as "" */

enum { DATE_TEXT = 40 };

/* The end of a sentence about what is no date here: what would be, and which valid ones are not. */
#define DATE_WANTED                                                                                \
    "must be an ISO 8601 date, such as 2026-11-23T18:40:17+01:00, 2026-11-23T18:40Z or "           \
    "2026-11-23; week dates, days of the year, months or hours alone, 24:00 and "                  \
    "leap seconds are not taken"

bool date_parse(const char *text, int64_t *at_ms);
bool date_parse_day(const char *text, int64_t *at_ms,
                    bool *whole_day); /* whole_day: no time given */
/* Whether a moment is later than now and some time ahead.  A bare day has begun as soon as it has
 * anywhere on earth, which is 14 hours before it begins in UTC. */
bool date_is_future(int64_t at_ms, bool whole_day, int64_t now_ms, int64_t ahead_ms);
/* Both give out; "" for what has no year of four digits. */
const char *date_format(char out[DATE_TEXT], int64_t at_ms);
const char *date_format_ms(char out[DATE_TEXT], int64_t at_ms); /* with milliseconds */
/* For people: "5 Nov 2026, 14:05 UTC"; "" for what has no year of four digits.  The pages show it
 * in the reader's zone. */
const char *date_words(char out[DATE_TEXT], int64_t at_ms);
/* strftime-like: %Y %m %d %H %M %S %j %y %e %b %B %a %A %p %I %Z %z %s %F %T %%, English, UTC.
 * False: an unknown conversion, more than size bytes (with the NUL), or no year of four digits. */
bool date_pattern(char *out, unsigned size, const char *pattern, int64_t at_ms);
/* DATE_NONE of DATE_NONE, and where the calendar ends. */
int64_t date_add_days(int64_t at_ms, int days);
int64_t date_start_of_month(int64_t at_ms); /* its first millisecond, UTC */
int64_t date_end_of_month(int64_t at_ms);   /* the first millisecond of the next month, UTC */

#endif
