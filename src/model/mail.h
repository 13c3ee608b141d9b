/* mail.h — a message to one address, as text for `sendmail -t`.
 *
 * No byte that comes from outside can end a header or add a recipient: the address must be plain,
 * the subject is printable ASCII or one encoded word (RFC 2047), the body is base64.
 *
 * A letter is written as plain text; the message has it in HTML too (multipart/alternative,
 * RFC 2046 §5.1.4), made of that text: a paragraph where there is an empty line, a link where a
 * line is a web address and nothing else.
 */
#ifndef POSTBACKD_MAIL_H
#define POSTBACKD_MAIL_H

#include "base/buf.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct letter { /* on its way to the mailer; its strings are owned */
    struct list in;
    char *to, *subject, *text;
    int64_t id, due_at; /* of its row (store/letters.h) */
    int tries;          /* with this one */
};

struct letter *letter_new(const char *to, const char *subject, const char *text);
void letter_free(struct letter *letter);
void letters_free(struct list *letters);

/* What is wrong with a mail address, as the end of a sentence; NULL: nothing.  A local part of
 * letters, digits and ._+-=' that begins with a letter or digit, and a host by the rules for names
 * (RFC 1123 §2.1): nothing that a mailer, a shell or a file could take for something else. */
const char *mail_address_fault(const char *address);
/* The whole message.  False: the address is none. */
bool mail_write(struct buf *out, const struct letter *letter);

#endif
