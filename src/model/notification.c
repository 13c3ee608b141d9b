/* notification.c — an event notification in its compiled form.
 *
 * Compiling takes the URL apart, adds the ticked data points to its query, and compiles path and
 * body once, so that a request is only expanded.  What comes out never changes; those who use it
 * hold a reference, counted without atomics because all of them are on the loop thread.
 *
 * The rule that must never break: one that compiled can be delivered — every check that could
 * refuse its settings has been made here, not when a postback is due.
 */
#include "model/notification.h"

#include "base/fail.h"
#include "model/tls_identity.h"
#include "model/url.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {
    [NOTIFICATION_ACTIVE] = "ACTIVE",
    [NOTIFICATION_PAUSED] = "PAUSED",
    [NOTIFICATION_HELD] = "HELD",
};
enum { STATES = sizeof(states) / sizeof(states[0]) };

static const enum template_place places[] = {
    [BODY_JSON] = PLACE_JSON,
    [BODY_XML] = PLACE_XML,
    [BODY_FORM] = PLACE_FORM,
    [BODY_TEXT] = PLACE_TEXT,
};

const char *notification_state_name(enum notification_state state)
{
    return (unsigned)state < STATES ? states[state] : "UNKNOWN";
}

static bool is_set(const char *text)
{
    return text != NULL && *text != '\0';
}

/* A field that was refused when read is not also called missing. */
static void require(bool present, const char *field, const char *what, struct problems *problems)
{
    if (present)
        return;
    for (size_t i = 0; i < problems->count; i++) {
        if (strcmp(problems->items[i].field, field) == 0)
            return;
    }
    problems_add(problems, field, "is required: %s", what);
}

/* Path and query with the ticked data points behind what the account wrote: "?a=b" or "&a=b". */
static void write_target(const struct notification_settings *settings, const char *target,
                         struct buf *out)
{
    if (*target != '/')
        buf_char(out, '/');
    buf_str(out, target);
    bool joined = url_has_query(target);
    for (size_t i = 0; i < settings->query_count; i++) {
        const char *name = settings->query[i]->name;
        char last = out->data[out->len - 1];
        if (!joined)
            buf_char(out, '?');
        else if (last != '?' && last != '&')
            buf_char(out, '&');
        joined = true;
        buf_fmt(out, "%s={%s}", name, name);
    }
}

/* Whom the URL names.  False: a problem. */
static bool read_url(struct notification *notification, size_t *target_at,
                     struct problems *problems)
{
    struct buf authority = { 0 };
    if (!url_check(notification->settings.url, &notification->to, target_at, "Url", problems))
        return false;
    url_authority(&authority, &notification->to);
    notification->authority = buf_take(&authority);
    return true;
}

/* The URL is compiled once as it was written, for its problems to name the right column, and then
 * what is sent of it. */
static void compile_url(struct notification *notification, struct problems *problems)
{
    const struct notification_settings *settings = &notification->settings;
    struct buf target = { .limit = TEMPLATE_MAX };
    size_t target_at;

    if (!read_url(notification, &target_at, problems) || settings->type_count == 0)
        return;
    struct template *whole = template_compile(settings->url, PLACE_URL, settings->types,
                                              settings->type_count, "Url", problems);
    if (whole != NULL) {
        write_target(settings, settings->url + target_at, &target);
        notification->path = template_compile(buf_text(&target), PLACE_URL, settings->types,
                                              settings->type_count, "QueryPoints", problems);
        notification->constant = strchr(buf_text(&target), '{') == NULL;
    }
    template_free(whole);
    buf_free(&target);
}

static void compile_body(struct notification *notification, struct problems *problems)
{
    const struct notification_settings *settings = &notification->settings;
    if (settings->method == METHOD_GET) {
        if (is_set(settings->body))
            problems_add(problems, "BodyTemplate",
                         "a GET request has no body: leave it empty, or choose POST or PUT");
        return;
    }
    if (!is_set(settings->body)) {
        notification->constant = false; /* the default body holds every data point */
        return;
    }
    if (strchr(settings->body, '{') != NULL)
        notification->constant = false;
    if (settings->type_count > 0)
        notification->body =
            template_compile(settings->body, places[settings->format], settings->types,
                             settings->type_count, "BodyTemplate", problems);
}

static struct notification *notification_new(struct notification_settings *settings)
{
    struct notification *notification = must_alloc(sizeof(*notification));
    notification->references = 1;
    notification->settings = *settings;
    *settings = (struct notification_settings){ 0 };
    return notification;
}

struct notification *notification_keep(struct notification_settings *settings,
                                       struct problems *problems)
{
    struct notification *notification = notification_new(settings);
    size_t target_at;
    if (problems->count == 0 && is_set(notification->settings.url) &&
        read_url(notification, &target_at, problems))
        return notification;
    notification_unref(notification);
    return NULL;
}

struct notification *notification_compile(struct notification_settings *settings,
                                          struct problems *problems)
{
    struct notification *notification = notification_new(settings);

    const struct notification_settings *taken = &notification->settings;
    require(taken->category != NULL, "Category", "the events to send", problems);
    require(taken->category == NULL || taken->type_count > 0, "EventTypes", "at least one",
            problems);
    require(is_set(taken->url), "Url", "where to send the postbacks, such as https://example.com/p",
            problems);
    if (is_set(taken->url))
        compile_url(notification, problems);
    compile_body(notification, problems);
    if (problems->count > 0) {
        notification_unref(notification);
        return NULL;
    }
    return notification;
}

struct notification *notification_ref(struct notification *notification)
{
    notification->references++;
    return notification;
}

void notification_unref(struct notification *notification)
{
    if (notification == NULL || --notification->references > 0)
        return;
    if (notification->references < 0)
        bug("notification %lld dropped once too often", (long long)notification->id);
    notification_settings_free(&notification->settings);
    notification_headers_free(notification);
    opened_clear(&notification->opened);
    template_free(notification->path);
    template_free(notification->body);
    free(notification->to.host);
    free(notification->authority);
    free(notification->identity_for);
    free(notification->account_sid);
    free(notification->held_reason);
    sodium_memzero(&notification->secret, sizeof(notification->secret));
    sodium_memzero(&notification->old_secret, sizeof(notification->old_secret));
    tls_identity_free(notification->identity);
    free(notification);
}

bool notification_is_strict(const struct notification_settings *settings)
{
    return settings->ordered || settings->maximum_requests > 0 || settings->maximum_concurrent > 0;
}

bool notification_by_disk(const struct notification_settings *settings, bool shared)
{
    return settings->ordered || settings->minimum_delay_s > 0 ||
           (shared && notification_is_strict(settings));
}

bool notification_wants(const struct notification *notification, const struct event_type *type)
{
    const struct notification_settings *settings = &notification->settings;
    for (size_t i = 0; i < settings->type_count; i++) {
        if (settings->types[i]->number == type->number)
            return true;
    }
    return false;
}

void notification_title(struct buf *out, const struct notification *notification)
{
    const char *name = notification->settings.name;
    if (name != NULL && name[0] != '\0')
        buf_fmt(out, "\u201c%s\u201d to %s", name, notification->authority);
    else
        buf_fmt(out, "to %s", notification->authority);
}

int notification_bucket(int64_t id)
{
    uint64_t x = (uint64_t)id;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (int)((x ^ x >> 31) & 255);
}
