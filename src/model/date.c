/* date.c — ISO 8601 dates to and from milliseconds since 1970-01-01 UTC.
 *
 * Days are counted in years that begin on the 1st of March, so that the leap day is a year's last
 * and 400 such years are always 146,097 days.  Nothing here knows of time zones or of the C
 * library's calendar: the same milliseconds give the same text on every machine.
 *
 * Never: accept a date that does not exist (30 February, 24:00, a 61st second).
 */
#include "model/date.h"

#include "base/buf.h"

#include <string.h>

enum { DAYS_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* from 0000-03-01 */ };

static const int64_t day_ms = 86400000;
static const int64_t earliest_zone_ms = 14 * 3600000; /* UTC+14, where each day begins first */
static const int64_t least_ms = -62135596800000;      /* 0001-01-01 */
static const int64_t most_ms = 253402300799999;       /* the last of 9999 */

struct civil { /* month and day from 1; weekday 0 is Sunday; of_year from 1 */
    int year, month, day, hour, minute, second, milli, weekday, of_year;
};

static bool leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && leap(year) ? 29 : days[month - 1];
}

/* Days before the 1st of a month that is `from_march` months after March, in a March year. */
static int days_before(int from_march)
{
    return (153 * from_march + 2) / 5;
}

static int64_t days_from_civil(int year, int month, int day)
{
    int64_t march_year = month > 2 ? year : year - 1; /* not negative: years begin at 1 */
    int64_t cycle = march_year / 400;
    int64_t in_cycle = march_year % 400;
    int64_t of_year = days_before((month + 9) % 12) + day - 1;
    return cycle * DAYS_400_YEARS + in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + of_year -
           DAYS_TO_1970;
}

static bool civil_from_ms(struct civil *civil, int64_t at_ms)
{
    if (at_ms < least_ms || at_ms > most_ms)
        return false;
    int64_t days = (at_ms - least_ms) / day_ms + least_ms / day_ms;
    int64_t in_day = at_ms - days * day_ms;
    civil->milli = (int)(in_day % 1000);
    civil->second = (int)(in_day / 1000 % 60);
    civil->minute = (int)(in_day / 60000 % 60);
    civil->hour = (int)(in_day / 3600000);
    civil->weekday = (int)((days + 7 * 200000 + 4) % 7); /* 1970-01-01 was a Thursday */

    int64_t from_start = days + DAYS_TO_1970;
    int64_t cycle = from_start / DAYS_400_YEARS;
    int64_t in_cycle = from_start % DAYS_400_YEARS;
    int64_t year =
        (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / (DAYS_400_YEARS - 1)) / 365;
    int of_year = (int)(in_cycle - (365 * year + year / 4 - year / 100));
    int from_march = (5 * of_year + 2) / 153;
    civil->day = of_year - days_before(from_march) + 1;
    civil->month = from_march < 10 ? from_march + 3 : from_march - 9;
    civil->year = (int)(cycle * 400 + year) + (civil->month <= 2);
    civil->of_year = (int)(days - days_from_civil(civil->year, 1, 1)) + 1;
    return true;
}

/* ---- reading ---- */

/* Exactly `count` digits at *at, which moves on; -1: something else stands there. */
static int digits(const char **at, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        sum = sum * 10 + (**at - '0');
    }
    return sum;
}

static bool skip(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* `basic`: without separators. */
static bool parse_day(const char **at, int64_t *days, bool *basic)
{
    int year = digits(at, 4);
    *basic = **at != '-';
    if (year < 1 || (!*basic && !skip(at, '-')))
        return false;
    int month = digits(at, 2);
    if (month < 1 || month > 12 || (!*basic && !skip(at, '-')))
        return false;
    int day = digits(at, 2);
    if (day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

/* Behind the point or comma. */
static bool parse_fraction(const char **at, int *milli)
{
    int worth = 100;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++, worth /= 10)
        *milli += (**at - '0') * worth;
    return true;
}

static bool parse_time(const char **at, bool basic, int64_t *ms)
{
    int second = 0, milli = 0;
    int hour = digits(at, 2);
    if (hour < 0 || hour > 23 || (!basic && !skip(at, ':')))
        return false;
    int minute = digits(at, 2);
    if (minute < 0 || minute > 59)
        return false;
    if (basic ? **at >= '0' && **at <= '9' : skip(at, ':')) {
        second = digits(at, 2);
        if (second < 0 || second > 59)
            return false;
        if ((skip(at, '.') || skip(at, ',')) && !parse_fraction(at, &milli))
            return false;
    }
    *ms = ((int64_t)hour * 60 + minute) * 60000 + second * 1000 + milli;
    return true;
}

/* Z, +01, +01:00, +0100 or nothing. */
static bool parse_offset(const char **at, int64_t *ms)
{
    *ms = 0;
    if (**at == '\0' || skip(at, 'Z') || skip(at, 'z'))
        return true;
    int sign = **at == '-' ? -1 : 1, minute = 0;
    if (!skip(at, '+') && !skip(at, '-'))
        return false;
    int hour = digits(at, 2);
    if (hour < 0 || hour > 23)
        return false;
    if (skip(at, ':') || **at != '\0')
        minute = digits(at, 2);
    if (minute < 0 || minute > 59)
        return false;
    *ms = sign * ((int64_t)hour * 60 + minute) * 60000;
    return true;
}

/* What may stand between day and time. */
static bool parse_between(const char **at)
{
    return skip(at, 'T') || skip(at, 't') || skip(at, ' ');
}

bool date_parse_day(const char *text, int64_t *at_ms, bool *whole_day)
{
    const char *at = text;
    int64_t days, time = 0, offset = 0;
    bool basic;
    if (!parse_day(&at, &days, &basic))
        return false;
    bool day_alone = *at == '\0';
    if (!day_alone && (!parse_between(&at) || !parse_time(&at, basic, &time) ||
                       !parse_offset(&at, &offset) || *at != '\0'))
        return false;
    int64_t ms = days * day_ms + time - offset;
    if (ms < least_ms || ms > most_ms)
        return false;
    *at_ms = ms;
    *whole_day = day_alone;
    return true;
}

bool date_is_future(int64_t at_ms, bool whole_day, int64_t now_ms, int64_t ahead_ms)
{
    if (whole_day && ahead_ms < earliest_zone_ms)
        ahead_ms = earliest_zone_ms;
    return at_ms > now_ms + ahead_ms;
}

bool date_parse(const char *text, int64_t *at_ms)
{
    bool whole_day;
    return date_parse_day(text, at_ms, &whole_day);
}

/* ---- writing ---- */

/* `count` digits with leading zeroes; gives the place behind them. */
static char *put(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + count;
}

static char *put_day(char *at, const struct civil *civil)
{
    at = put(at, civil->year, 4);
    *at++ = '-';
    at = put(at, civil->month, 2);
    *at++ = '-';
    return put(at, civil->day, 2);
}

static char *put_time(char *at, const struct civil *civil)
{
    at = put(at, civil->hour, 2);
    *at++ = ':';
    at = put(at, civil->minute, 2);
    *at++ = ':';
    return put(at, civil->second, 2);
}

static const char *format(char out[DATE_TEXT], int64_t at_ms, bool milli)
{
    struct civil civil;
    out[0] = '\0';
    if (!civil_from_ms(&civil, at_ms))
        return out;
    char *at = put_day(out, &civil);
    *at++ = 'T';
    at = put_time(at, &civil);
    if (milli) {
        *at++ = '.';
        at = put(at, civil.milli, 3);
    }
    memcpy(at, "+00:00", sizeof("+00:00"));
    return out;
}

const char *date_format(char out[DATE_TEXT], int64_t at_ms)
{
    return format(out, at_ms, false);
}

const char *date_format_ms(char out[DATE_TEXT], int64_t at_ms)
{
    return format(out, at_ms, true);
}

static void add_digits(struct buf *out, int value, int count)
{
    char text[8];
    put(text, value, count);
    buf_add(out, text, (size_t)count);
}

static const char *const months[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };
static const char *const weekdays[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday" };

static bool convert_day(struct buf *out, char conversion, const struct civil *civil)
{
    char text[16];
    switch (conversion) {
    case 'Y':
        add_digits(out, civil->year, 4);
        return true;
    case 'y':
        add_digits(out, civil->year % 100, 2);
        return true;
    case 'm':
        add_digits(out, civil->month, 2);
        return true;
    case 'd':
        add_digits(out, civil->day, 2);
        return true;
    case 'e':
        buf_fmt(out, "%2d", civil->day);
        return true;
    case 'j':
        add_digits(out, civil->of_year, 3);
        return true;
    case 'b':
        buf_add(out, months[civil->month - 1], 3);
        return true;
    case 'B':
        buf_str(out, months[civil->month - 1]);
        return true;
    case 'a':
        buf_add(out, weekdays[civil->weekday], 3);
        return true;
    case 'A':
        buf_str(out, weekdays[civil->weekday]);
        return true;
    case 'F':
        buf_add(out, text, (size_t)(put_day(text, civil) - text));
        return true;
    default:
        return false;
    }
}

static bool convert_time(struct buf *out, char conversion, const struct civil *civil, int64_t at_ms)
{
    char text[16];
    switch (conversion) {
    case 'H':
        add_digits(out, civil->hour, 2);
        return true;
    case 'I':
        add_digits(out, (civil->hour + 11) % 12 + 1, 2);
        return true;
    case 'M':
        add_digits(out, civil->minute, 2);
        return true;
    case 'S':
        add_digits(out, civil->second, 2);
        return true;
    case 'p':
        buf_str(out, civil->hour < 12 ? "AM" : "PM");
        return true;
    case 'T':
        buf_add(out, text, (size_t)(put_time(text, civil) - text));
        return true;
    case 'Z':
        buf_str(out, "UTC");
        return true;
    case 'z':
        buf_str(out, "+0000");
        return true;
    case 's': /* whole seconds, towards the past */
        buf_int(out, (at_ms - civil->milli) / 1000);
        return true;
    case '%':
        buf_char(out, '%');
        return true;
    default:
        return false;
    }
}

bool date_pattern(char *out, unsigned size, const char *pattern, int64_t at_ms)
{
    struct civil civil;
    if (size == 0 || !civil_from_ms(&civil, at_ms))
        return false;
    struct buf text = { .limit = size };
    bool known = true;
    for (const char *at = pattern; known && !text.failed && *at != '\0'; at++) {
        if (*at == '%') {
            at++;
            known = convert_day(&text, *at, &civil) || convert_time(&text, *at, &civil, at_ms);
        } else {
            buf_char(&text, *at);
        }
    }
    bool fits = known && !text.failed && text.len < size;
    if (fits)
        memcpy(out, buf_text(&text), text.len + 1);
    buf_free(&text);
    return fits;
}

/* ---- counting ---- */

int64_t date_add_days(int64_t at_ms, int days)
{
    int64_t sum;
    if (at_ms == DATE_NONE || __builtin_add_overflow(at_ms, days * day_ms, &sum))
        return DATE_NONE;
    return sum;
}

int64_t date_start_of_month(int64_t at_ms)
{
    struct civil civil;
    if (!civil_from_ms(&civil, at_ms))
        return DATE_NONE;
    return days_from_civil(civil.year, civil.month, 1) * day_ms;
}

int64_t date_end_of_month(int64_t at_ms)
{
    struct civil civil;
    if (!civil_from_ms(&civil, at_ms))
        return DATE_NONE;
    int year = civil.month == 12 ? civil.year + 1 : civil.year;
    return days_from_civil(year, civil.month % 12 + 1, 1) * day_ms;
}

const char *date_words(char out[DATE_TEXT], int64_t at_ms)
{
    if (at_ms == DATE_NONE || !date_pattern(out, DATE_TEXT, "%d %b %Y, %H:%M UTC", at_ms))
        out[0] = '\0';
    return out[0] == '0' ? memmove(out, out + 1, strlen(out)) : out;
}
