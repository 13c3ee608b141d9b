/* mail.h — a message to one address, as text for `sendmail -t`.
 *
 * No byte that comes from outside can end a header or add a recipient: the address must be plain,
 * the subject is printable ASCII or one encoded word (RFC 2047), the body is base64.
 */
#ifndef POSTBACKD_MAIL_H
#define POSTBACKD_MAIL_H

#include "base/buf.h"
#include "base/list.h"

#include <stdbool.h>

struct letter { /* on its way to the mailer; its strings are owned */
    struct list in;
    char *to, *subject, *text;
};

/* Appends one, unless there is no address. */
void letter_add(struct list *letters, const char *to, const char *subject, const char *text);
void letter_free(struct letter *letter);
void letters_free(struct list *letters);

/* One plain address: name@host of printable ASCII, without spaces, quotes, brackets, commas,
 * colons and semicolons, not beginning like an option. */
bool mail_address_is_plain(const char *address);
/* The whole message.  False: the address is not plain. */
bool mail_write(struct buf *out, const struct letter *letter);

#endif
