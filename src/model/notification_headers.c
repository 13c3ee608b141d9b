/* notification_headers.c — an event notification's custom headers, which the operator sets.
 *
 * They carry credentials of the receiver.  A new list is read whole into a table of its own and
 * takes the old one's place only when all of it is right.
 *
 * The rules that must never break: no name or value can end its line or stand for a header that
 * frames the request; no value goes into a message; what held one is wiped.
 */
#include "model/notification.h"

#include "base/fail.h"
#include "base/text.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELD_TEXT = 64 };

/* What postbackd sets itself, and what frames a message or belongs to one connection only. */
static const char *const reserved[] = {
    "Accept",         "Accept-Encoding",   "Connection", "Content-Encoding",
    "Content-Length", "Content-Type",      "Expect",     "Host",
    "HTTP2-Settings", "Keep-Alive",        "Range",      "TE",
    "Trailer",        "Transfer-Encoding", "Upgrade",    "User-Agent",
};
static const char *const reserved_families[] = { "Proxy-", "Webhook-" };

struct headers {
    struct custom_header items[NOTIFICATION_HEADERS_MAX];
    size_t count;
};

static const struct custom_header *find(const struct custom_header *headers, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_same(headers[i].name, name))
            return &headers[i];
    }
    return NULL;
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (text_same(name, reserved[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof(reserved_families) / sizeof(reserved_families[0]); i++) {
        if (strncasecmp(name, reserved_families[i], strlen(reserved_families[i])) == 0)
            return true;
    }
    return false;
}

static bool is_token(const char *name) /* RFC 9110 §5.6.2 */
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return *name != '\0' && name[strspn(name, allowed)] == '\0';
}

static bool is_field_value(const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value != '\t' && (*value < ' ' || *value > '~'))
            return false;
    }
    return true;
}

static bool check_name(const char *name, const struct headers *before, const char *field,
                       struct problems *problems)
{
    if (name == NULL || !is_token(name))
        problems_add(problems, field, "must be a header's name: letters, digits and '-'");
    else if (strlen(name) > NOTIFICATION_HEADER_NAME_MAX)
        problems_add(problems, field, "must have at most %d characters",
                     (int)NOTIFICATION_HEADER_NAME_MAX);
    else if (is_reserved(name))
        problems_add(problems, field, "%s is set by postbackd or belongs to HTTP itself", name);
    else if (find(before->items, before->count, name) != NULL)
        problems_add(problems, field, "%s is given twice", name);
    else
        return true;
    return false;
}

/* The value that a header has, to be freed; NULL with a problem: it has none, or not for here. */
static char *keep_value(const struct notification *notification, const char *name,
                        const char *field, struct problems *problems)
{
    const struct custom_header *old = find(notification->headers, notification->header_count, name);
    if (old == NULL)
        problems_add(problems, field, "is required: %s has no value yet", name);
    else if (notification_headers_wait(notification))
        problems_add(problems, field,
                     "was set for %s and the URL leads to %s now: agree to that first, or give the "
                     "value anew",
                     notification->headers_for, notification->authority);
    else
        return must_copy(old->value);
    return NULL;
}

/* The value of an entry without spaces around it, to be freed; NULL with a problem. */
static char *take_value(const struct notification *notification, const char *name,
                        const json_t *given, const char *field, struct problems *problems)
{
    const char *value = json_string_value(given);
    if (given == NULL || json_is_null(given) || (value != NULL && strcmp(value, "(hidden)") == 0))
        return keep_value(notification, name, field, problems);
    if (value == NULL || strlen(value) != json_string_length(given) || !is_field_value(value)) {
        problems_add(problems, field, "must be text of visible ASCII characters, spaces and tabs");
        return NULL;
    }
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    if (len > NOTIFICATION_HEADER_VALUE_MAX) {
        problems_add(problems, field, "must have at most %d characters",
                     (int)NOTIFICATION_HEADER_VALUE_MAX);
        return NULL;
    }
    return must_copy_bytes(value, len);
}

static void read_entry(const struct notification *notification, const json_t *entry, size_t index,
                       struct headers *headers, struct problems *problems)
{
    char name_field[FIELD_TEXT], value_field[FIELD_TEXT], entry_field[FIELD_TEXT];
    const char *member;
    json_t *ignored;

    snprintf(entry_field, sizeof(entry_field), "CustomHeaders[%zu]", index);
    snprintf(name_field, sizeof(name_field), "CustomHeaders[%zu].Name", index);
    snprintf(value_field, sizeof(value_field), "CustomHeaders[%zu].Value", index);
    if (!json_is_object(entry)) {
        problems_add(problems, entry_field, "must be an object with Name and Value");
        return;
    }
    json_object_foreach((json_t *)entry, member, ignored)
    {
        if (strcmp(member, "Name") != 0 && strcmp(member, "Value") != 0)
            problems_add(problems, entry_field, "may only have Name and Value");
    }
    json_t *given = json_object_get(entry, "Name");
    const char *name = json_string_value(given);
    if (!check_name(name, headers, name_field, problems))
        return;
    char *value =
        take_value(notification, name, json_object_get(entry, "Value"), value_field, problems);
    if (value != NULL)
        headers->items[headers->count++] =
            (struct custom_header){ .name = must_copy(name), .value = value };
}

bool notification_headers_read(struct notification *notification, const json_t *from,
                               struct problems *problems)
{
    struct headers headers = { .count = 0 };
    size_t before = problems->count;

    if (!json_is_array(from)) {
        problems_add(problems, "CustomHeaders", "must be an array of objects with Name and Value");
        return false;
    }
    if (json_array_size(from) > NOTIFICATION_HEADERS_MAX) {
        problems_add(problems, "CustomHeaders", "must be at most %d",
                     (int)NOTIFICATION_HEADERS_MAX);
        return false;
    }
    for (size_t i = 0; i < json_array_size(from); i++)
        read_entry(notification, json_array_get(from, i), i, &headers, problems);
    if (problems->count > before || headers.count < json_array_size(from)) {
        notification_headers_wipe(headers.items, headers.count);
        return false;
    }
    notification_headers_free(notification);
    memcpy(notification->headers, headers.items, sizeof(headers.items));
    notification->header_count = headers.count;
    notification_headers_bind(notification, NULL);
    return true;
}
