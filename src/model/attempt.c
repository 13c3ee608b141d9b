/* attempt.c — the verdict on an attempt, and the reading of Retry-After.
 *
 * The verdict is one pure function of what came back and of the notification's rules.  What has no
 * whole answer is judged by a table: whose fault was it, the postback's or the destination's.
 *
 * The rule that must never break: nothing counts as delivered but 200 and 201 (any 2xx where the
 * account said so) with both response rules holding.
 */
#include "model/attempt.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *name;
    enum verdict verdict;
} errors[] = {
    [EXCHANGE_OK] = { "ok", VERDICT_FAILED },
    [EXCHANGE_DNS] = { "dns", VERDICT_DESTINATION },
    /* What the name resolves to is the destination's doing, whatever the postback. */
    [EXCHANGE_REFUSED_ADDRESS] = { "refused_address", VERDICT_DESTINATION },
    [EXCHANGE_CONNECT] = { "connect", VERDICT_DESTINATION },
    [EXCHANGE_TLS] = { "tls", VERDICT_DESTINATION },
    [EXCHANGE_TIMEOUT] = { "timeout", VERDICT_DESTINATION },
    [EXCHANGE_RESET] = { "reset", VERDICT_DESTINATION },
    /* What does not speak HTTP will not speak it to the next postback either. */
    [EXCHANGE_BAD_ANSWER] = { "bad_answer", VERDICT_DESTINATION },
    /* Nothing was sent: this event is too large for this template, others are not. */
    [EXCHANGE_BUILD] = { "build", VERDICT_FAILED },
    /* Ours alone. */
    [EXCHANGE_NO_ROOM] = { "no_room", VERDICT_FAILED },
};
enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

static const char *const verdicts[] = {
    [VERDICT_DELIVERED] = "delivered",
    [VERDICT_FAILED] = "failed",
    [VERDICT_DESTINATION] = "destination",
    [VERDICT_GONE] = "gone",
};
enum { VERDICTS = sizeof(verdicts) / sizeof(verdicts[0]) };

static bool body_has(const struct attempt *attempt, const char *text)
{
    size_t len = attempt->body_len < ANSWER_BODY_MAX ? attempt->body_len : ANSWER_BODY_MAX;
    return attempt->body != NULL && memmem(attempt->body, len, text, strlen(text)) != NULL;
}

static bool rules_hold(const struct attempt *attempt, const struct notification_settings *settings)
{
    const char *success = settings->success_response, *error = settings->error_response;
    if (error != NULL && *error != '\0' && body_has(attempt, error))
        return false;
    return success == NULL || *success == '\0' || body_has(attempt, success);
}

enum verdict verdict_of(const struct attempt *attempt, const struct notification *notification)
{
    const struct notification_settings *settings = &notification->settings;
    int status = attempt->status;

    if (attempt->error != EXCHANGE_OK)
        return (unsigned)attempt->error < ERRORS ? errors[attempt->error].verdict : VERDICT_FAILED;
    if (status == 410)
        return VERDICT_GONE;
    if (status == 429 || status == 503)
        return VERDICT_DESTINATION;
    bool accepted = status == 200 || status == 201 ||
                    (settings->accept_any_2xx && status >= 200 && status <= 299);
    return accepted && rules_hold(attempt, settings) ? VERDICT_DELIVERED : VERDICT_FAILED;
}

const char *exchange_error_name(enum exchange_error error)
{
    return (unsigned)error < ERRORS ? errors[error].name : "unknown";
}

const char *verdict_name(enum verdict verdict)
{
    return (unsigned)verdict < VERDICTS ? verdicts[verdict] : "unknown";
}

void attempt_free(struct attempt *attempt)
{
    free(attempt->headers);
    free(attempt->body);
    attempt->headers = attempt->body = NULL;
    attempt->headers_len = attempt->body_len = 0;
}

/* ---- dates of HTTP (RFC 9110 §5.6.7) ----
 *
 * Each take_* moves *at over what it names, or answers false.  The names are English whatever the
 * locale, which is why strptime() is not used. */

static bool take_text(const char **at, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

static bool take_digits(const char **at, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
    }
    *at += digits;
    return true;
}

static bool take_name(const char **at, const char *const *names, int count, int *which)
{
    for (int i = 0; i < count; i++) {
        if (take_text(at, names[i])) {
            *which = i;
            return true;
        }
    }
    return false;
}

static bool take_month(const char **at, int *month)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    return take_name(at, months, 12, month);
}

static bool take_time(const char **at, struct tm *when)
{
    return take_digits(at, 2, &when->tm_hour) && take_text(at, ":") &&
           take_digits(at, 2, &when->tm_min) && take_text(at, ":") &&
           take_digits(at, 2, &when->tm_sec) && when->tm_hour <= 23 && when->tm_min <= 59 &&
           when->tm_sec <= 60;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool take_fixdate(const char *at, struct tm *when)
{
    int year;
    if (!take_text(&at, ", ") || !take_digits(&at, 2, &when->tm_mday) || !take_text(&at, " ") ||
        !take_month(&at, &when->tm_mon) || !take_text(&at, " ") || !take_digits(&at, 4, &year) ||
        !take_text(&at, " ") || !take_time(&at, when) || !take_text(&at, " GMT"))
        return false;
    when->tm_year = year - 1900;
    return *at == '\0';
}

/* Sunday, 06-Nov-94 08:49:37 GMT.  A year that looks more than 50 years ahead is the last one in
 * the past with those digits. */
static bool take_rfc850(const char *at, struct tm *when, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm today;
    int year;
    if (!take_text(&at, ", ") || !take_digits(&at, 2, &when->tm_mday) || !take_text(&at, "-") ||
        !take_month(&at, &when->tm_mon) || !take_text(&at, "-") || !take_digits(&at, 2, &year) ||
        !take_text(&at, " ") || !take_time(&at, when) || !take_text(&at, " GMT"))
        return false;
    if (gmtime_r(&now, &today) == NULL)
        return false;
    int this_year = today.tm_year + 1900;
    year += this_year / 100 * 100;
    when->tm_year = (year > this_year + 50 ? year - 100 : year) - 1900;
    return *at == '\0';
}

/* Sun Nov  6 08:49:37 1994 */
static bool take_asctime(const char *at, struct tm *when)
{
    int year;
    if (!take_text(&at, " ") || !take_month(&at, &when->tm_mon) || !take_text(&at, " "))
        return false;
    int digits = *at == ' ' ? 1 : 2;
    if (digits == 1)
        at++;
    if (!take_digits(&at, digits, &when->tm_mday) || !take_text(&at, " ") ||
        !take_time(&at, when) || !take_text(&at, " ") || !take_digits(&at, 4, &year))
        return false;
    when->tm_year = year - 1900;
    return *at == '\0';
}

static bool http_date(const char *text, int64_t now_ms, int64_t *at_ms)
{
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    static const char *const rest[] = { "day", "sday", "nesday", "rsday", "day", "urday", "day" };
    struct tm when = { .tm_isdst = 0 };
    int day;

    if (!take_name(&text, days, 7, &day))
        return false;
    bool right = *text == ','   ? take_fixdate(text, &when)
                 : *text == ' ' ? take_asctime(text, &when)
                                : take_text(&text, rest[day]) && take_rfc850(text, &when, now_ms);
    if (!right)
        return false;
    if (when.tm_sec == 60) /* a leap second would look like another day below */
        when.tm_sec = 59;
    struct tm real = when;
    time_t at = timegm(&real);
    if (real.tm_mday != when.tm_mday) /* 31 April became 1 May */
        return false;
    *at_ms = (int64_t)at * 1000;
    return true;
}

int64_t retry_after_parse(const char *value, int64_t now_ms)
{
    char text[64];
    int64_t seconds, at_ms;

    if (value == NULL)
        return -1;
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    if (len == 0 || len >= sizeof(text))
        return -1;
    memcpy(text, value, len);
    text[len] = '\0';

    if (strspn(text, "0123456789") == len) /* more than can be counted is as good as for ever */
        return text_int(text, 0, INT64_MAX / 1000, &seconds) ? seconds * 1000 : INT64_MAX;
    if (!http_date(text, now_ms, &at_ms))
        return -1;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}
