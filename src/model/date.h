/* date.h — ISO 8601 dates as milliseconds since 1970-01-01 UTC.
 *
 * Read: 2026-11-23, 2026-11-23T18:40:17, …17.123, with Z, +01:00 or +0100; without an offset UTC.
 * Finer fractions than milliseconds are cut off.  Years 0001 to 9999; no leap seconds.
 * Written: 2026-11-23T18:40:17+00:00 (milliseconds only where asked).
 */
#ifndef POSTBACKD_DATE_H
#define POSTBACKD_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define DATE_NONE INT64_MIN /* no date was given; formatted as "" */

enum { DATE_TEXT = 40 };

bool date_parse(const char *text, int64_t *at_ms);
bool date_parse_day(const char *text, int64_t *at_ms,
                    bool *whole_day); /* whole_day: no time given */
/* Both give out; "" for what has no year of four digits. */
const char *date_format(char out[DATE_TEXT], int64_t at_ms);
const char *date_format_ms(char out[DATE_TEXT], int64_t at_ms); /* with milliseconds */
/* strftime-like: %Y %m %d %H %M %S %j %y %e %b %B %a %A %p %I %Z %z %s %F %T %%, English, UTC.
 * False: an unknown conversion, more than size bytes (with the NUL), or no year of four digits. */
bool date_pattern(char *out, unsigned size, const char *pattern, int64_t at_ms);
/* DATE_NONE of DATE_NONE, and where the calendar ends. */
int64_t date_add_days(int64_t at_ms, int days);
int64_t date_end_of_month(int64_t at_ms); /* the first millisecond of the next month, UTC */

#endif
