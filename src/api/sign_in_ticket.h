/* sign_in_ticket.h — what stands between the two steps of signing in, for users with a second
 * factor.
 *
 * The first step (the right password) is answered 202 with a ticket: who signs in, with which
 * password, since when, sealed under the server's key; nothing of it is on disk.  With a code it is
 * a session.  It lasts for some minutes, and not beyond a change of the password.
 */
#ifndef POSTBACKD_API_SIGN_IN_TICKET_H
#define POSTBACKD_API_SIGN_IN_TICKET_H

#include "api/api.h"
#include "store/accounts.h"

enum { SIGN_IN_TICKET_MS = 5 * 60 * 1000 };

enum { SIGN_IN_TICKET_TEXT = 256, SIGN_IN_PRINT_BYTES = 16 };

struct sign_in_ticket {
    char words[8]; /* of what else is sealed, nothing passes for a ticket */
    int64_t user, since_ms;
    unsigned char password[SIGN_IN_PRINT_BYTES];
};

/* Answers with the ticket of this user, whose password was right. */
void sign_in_ask_code(struct call *call, const struct user_key *user);
/* False: it is none, or has ended. */
bool sign_in_ticket_open(struct sign_in_ticket *ticket, const char *text);
/* Whether the user's password is the one that the ticket was given for. */
bool sign_in_ticket_fits(const struct sign_in_ticket *ticket, const struct user_key *user);

#endif
