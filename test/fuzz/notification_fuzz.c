/* notification_fuzz.c — settings of an event notification from arbitrary JSON.
 *
 * What is accepted must also come back from its own written form, and compile again: a saved
 * notification that cannot be loaded would stop its deliveries.
 */
#include "model/notification.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct notification *compile(const json_t *from)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    notification_settings_read(&settings, from, &problems);
    struct notification *notification = notification_compile(&settings, &problems);
    if ((notification == NULL) != (problems.count > 0))
        abort();
    for (size_t i = 0; i < problems.count; i++) {
        json_t *message = json_string(problems.items[i].message);
        if (message == NULL) /* not UTF-8: it could not be answered */
            abort();
        json_decref(message);
    }
    problems_free(&problems);
    return notification;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    json_t *from = json_loadb((const char *)bytes, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (from == NULL)
        return 0;
    struct notification *first = compile(from);
    if (first != NULL) {
        struct problems problems = { 0 };
        json_t *written = notification_settings_write(&first->settings);
        struct notification *second = compile(written);
        if (second == NULL)
            abort();
        json_t *again = notification_settings_write(&second->settings);
        if (!json_equal(written, again))
            abort();
        notification_headers_read(second, json_object_get(from, "Headers"), &problems);
        problems_free(&problems);
        json_decref(written);
        json_decref(again);
        notification_unref(first);
        notification_unref(second);
    }
    json_decref(from);
    return 0;
}
