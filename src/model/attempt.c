/* attempt.c — the verdict on an attempt, and a person's words for it.
 *
 * The verdict is one pure function of what came back and of the notification's rules.  What has no
 * whole answer is judged by a table: whose fault was it, the postback's or the destination's.
 *
 * The rule that must never break: nothing counts as delivered but 200 and 201 (any 2xx where the
 * account said so) with both response rules holding.
 */
#include "model/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum verdict verdict;
    const char *words;
} errors[] = {
    [EXCHANGE_OK] = { "ok", VERDICT_FAILED, "it was answered" },
    [EXCHANGE_DNS] = { "dns", VERDICT_DESTINATION, "the receiver's name was not found" },
    /* What the name resolves to is the destination's doing, whatever the postback. */
    [EXCHANGE_REFUSED_ADDRESS] = { "refused_address", VERDICT_DESTINATION,
                                   "the receiver's address is private and not allowed" },
    [EXCHANGE_CONNECT] = { "connect", VERDICT_DESTINATION, "the receiver could not be reached" },
    [EXCHANGE_TLS] = { "tls", VERDICT_DESTINATION, "the TLS handshake with the receiver failed" },
    [EXCHANGE_TIMEOUT] = { "timeout", VERDICT_DESTINATION, "the receiver did not answer in time" },
    [EXCHANGE_RESET] = { "reset", VERDICT_DESTINATION, "the receiver closed the connection" },
    /* What does not speak HTTP will not speak it to the next postback either. */
    [EXCHANGE_BAD_ANSWER] = { "bad_answer", VERDICT_DESTINATION,
                              "the receiver's answer was not HTTP" },
    /* Nothing was sent: this event is too large for this template, others are not. */
    [EXCHANGE_BUILD] = { "build", VERDICT_FAILED, "the request could not be built" },
    /* Ours alone. */
    [EXCHANGE_NO_ROOM] = { "no_room", VERDICT_FAILED,
                           "this server had no room for one more connection" },
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

static bool status_accepted(int status, const struct notification_settings *settings)
{
    return status == 200 || status == 201 ||
           (settings->accept_any_2xx && status >= 200 && status <= 299);
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
    return status_accepted(status, settings) && rules_hold(attempt, settings) ? VERDICT_DELIVERED
                                                                              : VERDICT_FAILED;
}

/* ---- words ---- */

/* The coding that the answer's text is in; "": as it stands. */
static void coding_of(const struct attempt *attempt, char *out, size_t size)
{
    static const char name[] = "content-encoding: ", gzip[] = "\x1f\x8b";
    const char *line = attempt->headers, *end = line != NULL ? line + attempt->headers_len : NULL;
    out[0] = '\0';
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((stop != NULL ? stop : end) - line);
        if (len >= sizeof(name) && strncasecmp(line, name, sizeof(name) - 1) == 0)
            snprintf(out, size, "%.*s", (int)(len - sizeof(name) + 1), line + sizeof(name) - 1);
        line += len + 1;
    }
    if (strcasecmp(out, "identity") == 0)
        out[0] = '\0';
    if (out[0] == '\0' && attempt->body_len >= 2 && memcmp(attempt->body, gzip, 2) == 0)
        snprintf(out, size, "gzip");
}

static void explain_rules(struct attempt *attempt, const struct notification_settings *settings)
{
    char coding[24], *out = attempt->detail;
    const char *error = settings->error_response;
    coding_of(attempt, coding, sizeof(coding));
    if (error != NULL && *error != '\0' && body_has(attempt, error))
        snprintf(out, sizeof(attempt->detail),
                 "the response rules do not hold: it has the text set as Error Response");
    else if (coding[0] != '\0')
        snprintf(out, sizeof(attempt->detail),
                 "the response rules do not hold: the answer is %s, which was not asked for; its "
                 "text cannot be looked at",
                 coding);
    else
        snprintf(out, sizeof(attempt->detail),
                 "the response rules do not hold: the text set as Success Response is not in the "
                 "answer's first %d KiB",
                 ANSWER_BODY_MAX / 1024);
}

void attempt_explain(struct attempt *attempt, const struct notification *notification)
{
    const char *words = NULL;
    int status = attempt->status;
    if (attempt->error != EXCHANGE_OK || attempt->detail[0] != '\0')
        return;
    if (status_accepted(status, &notification->settings))
        explain_rules(attempt, &notification->settings);
    else if (status >= 200 && status <= 299)
        words = "only 200 and 201 are a success; with \"Accept any 2xx\" this would be one";
    else if (status > 300 && status <= 308 && status != 304)
        words = "redirects are not followed: the URL has to be the one that answers";
    if (words != NULL)
        snprintf(attempt->detail, sizeof(attempt->detail), "%s", words);
}

void attempt_reason(char *out, size_t size, const struct attempt *attempt)
{
    bool told = attempt->detail[0] != '\0';
    if (attempt->error != EXCHANGE_OK)
        snprintf(out, size, "%s%s%s", exchange_error_name(attempt->error), told ? ": " : "",
                 attempt->detail);
    else if (attempt->status >= 200 && attempt->status < 300 && !told)
        snprintf(out, size, "status %d, but the response rules do not hold", attempt->status);
    else
        snprintf(out, size, "status %d%s%s", attempt->status, told ? ": " : "", attempt->detail);
}

void attempt_reason_words(struct buf *out, const char *reason)
{
    static const char status[] = "status ";
    size_t name = strcspn(reason, ":");
    if (strncmp(reason, status, sizeof(status) - 1) == 0) {
        buf_fmt(out, "the receiver answered %s", reason + sizeof(status) - 1);
        return;
    }
    for (int i = 0; i < ERRORS; i++) {
        if (strlen(errors[i].name) != name || strncmp(errors[i].name, reason, name) != 0)
            continue;
        buf_str(out, errors[i].words);
        const char *detail = reason + name + strspn(reason + name, ": ");
        if (*detail != '\0')
            buf_fmt(out, " (%s)", detail);
        return;
    }
    buf_str(out, reason);
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
