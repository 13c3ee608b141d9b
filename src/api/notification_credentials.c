/* notification_credentials.c — what is told when an account's change of its URL takes custom
 * headers and the TLS identity out of use.
 *
 * An account may move its URL as often as it likes.  So that it cannot fill the operator's notices,
 * their text names nothing that the account writes, and one that is unread is not written again.
 */
#include "api/notifications.h"

#include "store/accounts.h"

#include <inttypes.h>

static const char *what_waits(const struct notification *notification)
{
    if (!notification_headers_wait(notification))
        return "the TLS identity that was";
    return notification_identity_waits(notification)
               ? "custom headers and the TLS identity that were"
               : "custom headers that were";
}

void notification_credentials_tell(struct db *db, const struct notification *notification)
{
    static const char kind[] = "notification.credentials_wait";
    bool headers = notification_headers_wait(notification);
    struct account account;
    struct buf text = { 0 };

    if (!headers && !notification_identity_waits(notification))
        return;
    if (!account_find(db, notification->account, &account))
        return;
    const char *set_for = headers ? notification->headers_for : notification->identity_for;
    buf_fmt(&text,
            "The URL of event notification %" PRId64 " leads to another receiver now: %s set for "
            "%s are not sent there until the operator agrees.",
            notification->id, what_waits(notification), set_for);
    notice_add_once(db, notification->account, kind, buf_text(&text));
    buf_reset(&text);
    buf_fmt(&text,
            "%s (%s) has changed the URL of its event notification %" PRId64 ", which leads to "
            "another receiver now: %s set for %s are not sent there until you agree, under Custom "
            "headers.",
            account.name, account.sid, notification->id, what_waits(notification), set_for);
    notice_add_once(db, account_operator(db), kind, buf_text(&text));
    buf_free(&text);
    account_clear(&account);
}
