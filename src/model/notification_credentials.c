/* notification_credentials.c — where custom headers and a TLS identity may go.
 *
 * The operator sets them for the receiver that the URL leads to at that moment; the URL is the
 * account's to change.  So each is kept with the authority (scheme, host, port) it was set for, and
 * counts only while the URL has the same.
 *
 * The rule that must never break: a credential without an authority, or with another one, goes to
 * nobody.
 */
#include "model/notification.h"

#include "base/fail.h"
#include "model/show.h"
#include "model/tls_identity.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static bool is_here(const struct notification *notification, const char *authority)
{
    return authority != NULL && strcmp(authority, notification->authority) == 0;
}

bool notification_headers_wait(const struct notification *notification)
{
    return notification->header_count > 0 && !is_here(notification, notification->headers_for);
}

bool notification_identity_waits(const struct notification *notification)
{
    return notification->identity != NULL && !is_here(notification, notification->identity_for);
}

const struct tls_identity *notification_identity(const struct notification *notification)
{
    return notification_identity_waits(notification) ? NULL : notification->identity;
}

static void bind(const struct notification *notification, char **to, const char *authority)
{
    char *copy = must_copy(authority != NULL ? authority : notification->authority);
    free(*to);
    *to = copy;
}

void notification_headers_bind(struct notification *notification, const char *authority)
{
    bind(notification, &notification->headers_for, authority);
}

void notification_identity_bind(struct notification *notification, const char *authority)
{
    bind(notification, &notification->identity_for, authority);
}

void notification_headers_wipe(struct custom_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].value != NULL)
            sodium_memzero(headers[i].value, strlen(headers[i].value));
        free(headers[i].name);
        free(headers[i].value);
        headers[i] = (struct custom_header){ 0 };
    }
}

void notification_headers_free(struct notification *notification)
{
    notification_headers_wipe(notification->headers, notification->header_count);
    notification->header_count = 0;
    free(notification->headers_for);
    notification->headers_for = NULL;
}

void notification_credentials_move(struct notification *to, struct notification *from)
{
    notification_headers_free(to);
    memcpy(to->headers, from->headers, sizeof(to->headers));
    to->header_count = from->header_count;
    to->headers_for = from->headers_for;
    from->header_count = 0;
    from->headers_for = NULL;
    tls_identity_free(to->identity);
    free(to->identity_for);
    to->identity = from->identity;
    to->identity_for = from->identity_for;
    from->identity = NULL;
    from->identity_for = NULL;
}

void notification_credentials_show(const struct notification *notification, json_t *shown)
{
    bool headers = notification->header_count > 0, identity = notification->identity != NULL;
    show_text(shown, "Destination", notification->authority);
    show_text(shown, "CustomHeadersFor", headers ? notification->headers_for : "");
    show_text(shown, "TlsFor", identity ? notification->identity_for : "");
    show_bool(shown, "CredentialsWait",
              notification_headers_wait(notification) || notification_identity_waits(notification));
}
