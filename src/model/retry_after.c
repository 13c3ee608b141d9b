/* retry_after.c — reads Retry-After: a number and perhaps its unit, or a date.
 *
 * A date is a handful of words in about any order, told apart by how they look: a time has colons,
 * a year four digits, a month a name.  The names are English whatever the locale, which is why
 * strptime() is not used.
 *
 * The rule: what could be meant in two ways is not read.
 */
#include "model/retry_after.h"

#include "model/date.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { VALUE_MAX = 63, NAME_LEAST = 3 };

static const char digits[] = "0123456789", blanks[] = " \t",
                  letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* ---- a number ---- */

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    { "", 1000 },       { "s", 1000 },       { "sec", 1000 },      { "secs", 1000 },
    { "second", 1000 }, { "seconds", 1000 }, { "ms", 1 },          { "m", 60000 },
    { "min", 60000 },   { "mins", 60000 },   { "minute", 60000 },  { "minutes", 60000 },
    { "h", 3600000 },   { "hour", 3600000 }, { "hours", 3600000 },
};

/* 0: no unit has this name. */
static int64_t unit_ms(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, name, len) == 0)
            return units[i].ms;
    return 0;
}

/* INT64_MAX: more than can be counted, which is as good as for ever. */
static int64_t whole_of(const char *at, size_t len, int64_t unit)
{
    int64_t value = 0;
    for (size_t i = 0; i < len; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, at[i] - '0', &value))
            return INT64_MAX;
    return __builtin_mul_overflow(value, unit, &value) ? INT64_MAX : value;
}

/* ".25" of a unit, rounded up; past six digits all the same. */
static int64_t part_of(const char *at, size_t len, int64_t unit)
{
    int64_t value = 0, scale = 1;
    bool rest = false;
    for (size_t i = 0; i < len; i++) {
        if (scale < 1000000) {
            value = value * 10 + (at[i] - '0');
            scale *= 10;
        } else {
            rest = rest || at[i] != '0';
        }
    }
    return (value * unit + scale - 1) / scale + (rest ? 1 : 0);
}

/* "300", "+300", "299.997", "300s", "5 min", "300, 300", "-1"; false: it is none. */
static bool take_number(const char *at, int64_t *delay_ms)
{
    bool negative = *at == '-';
    if (*at == '+' || *at == '-')
        at++;
    size_t whole = strspn(at, digits), part = 0;
    const char *end = at + whole;
    if (*end == '.')
        part = strspn(++end, digits);
    if (whole + part == 0)
        return false;
    const char *fraction = end;
    end += part;
    const char *unit = end + strspn(end, blanks);
    size_t unit_len = strspn(unit, letters);
    end = unit + unit_len;
    end += strspn(end, blanks);
    int64_t ms = unit_ms(unit, unit_len);
    if (ms == 0 || (*end != '\0' && *end != ',' && *end != ';'))
        return false;
    int64_t sum = whole_of(at, whole, ms);
    if (__builtin_add_overflow(sum, part_of(fraction, part, ms), &sum))
        sum = INT64_MAX;
    *delay_ms = negative ? 0 : sum;
    return true;
}

/* ---- a date ---- */

struct date_words {
    int year, month, day, hour, minute, second, offset; /* offset in minutes; -1: not yet */
    bool weekday_seen, time_seen, zone_seen;
    int year_digits;
};

static const char *const months[] = { "january",   "february", "march",    "april",
                                      "may",       "june",     "july",     "august",
                                      "september", "october",  "november", "december" };
static const char *const weekdays[] = { "sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday" };

static const struct {
    const char *name;
    int minutes;
} zones[] = {
    { "GMT", 0 },    { "UTC", 0 },    { "UT", 0 },     { "Z", 0 },      { "EST", -300 },
    { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 }, { "MST", -420 }, { "MDT", -360 },
    { "PST", -480 }, { "PDT", -420 }, { "CET", 60 },   { "CEST", 120 },
};

/* By its first letters, three at least. */
static int place_of(const char *const *names, int count, const char *word, size_t len)
{
    for (int i = 0; i < count; i++)
        if (len >= NAME_LEAST && len <= strlen(names[i]) && strncasecmp(names[i], word, len) == 0)
            return i;
    return -1;
}

static bool take_zone(struct date_words *words, const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]) && !words->zone_seen; i++)
        if (strlen(zones[i].name) == len && strncasecmp(zones[i].name, word, len) == 0) {
            words->offset = zones[i].minutes;
            return words->zone_seen = true;
        }
    return false;
}

static bool take_word(struct date_words *words, const char *word, size_t len)
{
    int month = place_of(months, 12, word, len);
    if (month != -1 && words->month == -1) {
        words->month = month;
        return true;
    }
    if (!words->weekday_seen && place_of(weekdays, 7, word, len) != -1)
        return words->weekday_seen = true;
    return words->time_seen && take_zone(words, word, len);
}

/* Two digits, or fewer where least says so. */
static bool take_digits(const char **at, size_t least, int *value)
{
    size_t len = strspn(*at, digits);
    if (len < least || len > 2)
        return false;
    *value = 0;
    for (; len > 0; len--)
        *value = *value * 10 + (*(*at)++ - '0');
    return true;
}

/* 08:49, 08:49:37, 08:49:37.5 */
static bool take_time(struct date_words *words, const char **at)
{
    words->second = 0;
    if (words->time_seen || !take_digits(at, 1, &words->hour) || *(*at)++ != ':' ||
        !take_digits(at, 2, &words->minute))
        return false;
    if (**at == ':') {
        (*at)++;
        if (!take_digits(at, 2, &words->second))
            return false;
    }
    if (**at == '.') {
        size_t part = strspn(*at + 1, digits);
        *at += 1 + part;
        words->second += part > 0; /* rounded up */
    }
    return words->time_seen = true;
}

static bool take_year(struct date_words *words, const char *at, size_t len)
{
    if (words->year != -1)
        return false;
    words->year = 0;
    for (size_t i = 0; i < len; i++)
        words->year = words->year * 10 + (at[i] - '0');
    words->year_digits = (int)len;
    return true;
}

static bool take_figure(struct date_words *words, const char **at)
{
    size_t len = strspn(*at, digits);
    if ((*at)[len] == ':')
        return take_time(words, at);
    const char *from = *at;
    if (len <= 2 && words->day == -1)
        return take_digits(at, 1, &words->day);
    *at += len;
    return (len == 4 || len == 2) && take_year(words, from, len);
}

/* +0100, -05:00 behind the time */
static bool take_offset(struct date_words *words, const char **at)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;
    char text[5] = "";
    const char *from = *at + 1;
    if (words->offset != 0 || strspn(from, digits) < 2)
        return false;
    memcpy(text, from, 2);
    from += from[2] == ':' ? 3 : 2;
    if (strspn(from, digits) != 2)
        return false;
    memcpy(text + 2, from, 2);
    hours = (text[0] - '0') * 10 + (text[1] - '0');
    minutes = (text[2] - '0') * 10 + (text[3] - '0');
    *at = from + 2;
    words->offset = sign * (hours * 60 + minutes);
    words->zone_seen = true;
    return hours < 24 && minutes < 60;
}

static bool take_words(struct date_words *words, const char *at)
{
    while (*at != '\0') {
        size_t len = strspn(at, letters);
        if (len > 0) {
            if (!take_word(words, at, len))
                return false;
            at += len;
        } else if (strchr(digits, *at) != NULL) {
            if (!take_figure(words, &at))
                return false;
        } else if (words->time_seen && (*at == '+' || *at == '-')) {
            if (!take_offset(words, &at))
                return false;
        } else if (strchr(" \t,-.", *at++) == NULL) {
            return false;
        }
    }
    return words->month != -1 && words->day != -1 && words->year != -1 && words->time_seen;
}

/* A year of two digits that looks more than 50 years ahead is the last one in the past with those
 * digits (RFC 9110 §5.6.7). */
static int year_of(const struct date_words *words, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm today;
    if (words->year_digits != 2 || gmtime_r(&now, &today) == NULL)
        return words->year;
    int this_year = today.tm_year + 1900, year = words->year + this_year / 100 * 100;
    return year > this_year + 50 ? year - 100 : year;
}

static bool take_date(const char *text, int64_t now_ms, int64_t *at_ms)
{
    struct date_words words = { .year = -1, .month = -1, .day = -1 };
    if (date_parse(text, at_ms))
        return true;
    if (!take_words(&words, text) || words.hour > 23 || words.minute > 59 || words.second > 60)
        return false;
    struct tm when = {
        .tm_year = year_of(&words, now_ms) - 1900,
        .tm_mon = words.month,
        .tm_mday = words.day,
        .tm_hour = words.hour,
        .tm_min = words.minute,
    };
    struct tm real = when;
    time_t at = timegm(&real);
    if (real.tm_mday != when.tm_mday) /* 31 April became 1 May */
        return false;
    /* A leap second is the last one of its minute. */
    int second = words.second == 60 ? 59 : words.second;
    *at_ms = ((int64_t)at + second - (int64_t)words.offset * 60) * 1000;
    return true;
}

int64_t retry_after_parse(const char *value, int64_t now_ms)
{
    char text[VALUE_MAX + 1];
    int64_t delay_ms, at_ms;

    if (value == NULL)
        return -1;
    value += strspn(value, " \t\"'");
    size_t len = strlen(value);
    while (len > 0 && strchr(" \t\"'", value[len - 1]) != NULL)
        len--;
    if (len == 0 || len > VALUE_MAX)
        return -1;
    memcpy(text, value, len);
    text[len] = '\0';
    if (take_number(text, &delay_ms))
        return delay_ms;
    if (!take_date(text, now_ms, &at_ms))
        return -1;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}
