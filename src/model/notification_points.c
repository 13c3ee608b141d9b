/* notification_points.c — which data points on request an event notification names.
 *
 * Compiling does not ask whether a point is open: an old revision must show its requests whatever
 * was closed since.  It is asked here, once, by whoever saves or previews settings; from then on
 * closing a point is refused for as long as a notification names it.
 */
#include "model/notification.h"

#include <string.h>

/* The URL as it was written, so that a problem names the right column. */
static void refuse_in_url(const struct notification_settings *settings, const struct opened *opened,
                          struct problems *problems)
{
    struct template *whole = template_compile(settings->url, PLACE_URL, settings->types,
                                              settings->type_count, "Url", problems);

    if (whole != NULL)
        template_refuse_closed(whole, opened, "Url", problems);
    template_free(whole);
}

void notification_refuse_closed(const struct notification *notification,
                                const struct opened *opened, struct problems *problems)
{
    const struct notification_settings *settings = &notification->settings;

    for (size_t i = 0; i < settings->query_count; i++)
        if (!opened_has(opened, settings->query[i]))
            problems_add(problems, "QueryPoints", TEMPLATE_CLOSED, settings->query[i]->name);
    refuse_in_url(settings, opened, problems);
    if (notification->body != NULL)
        template_refuse_closed(notification->body, opened, "BodyTemplate", problems);
}

void notification_refuse_heavy(const struct notification *notification, struct problems *problems)
{
    template_refuse_heavy(notification->path, "Url", problems);
    if (notification->body != NULL)
        template_refuse_heavy(notification->body, "BodyTemplate", problems);
}

bool notification_names(const struct notification *notification, const char *point)
{
    return template_names(notification->path, point) ||
           (notification->body != NULL && template_names(notification->body, point));
}
