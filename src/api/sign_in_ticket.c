/* sign_in_ticket.c — a ticket is a struct, sealed by the server's key: nobody can make or change
 * one, and it says nothing to who has it. */
#include "api/sign_in_ticket.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/show.h"
#include "store/secrets.h"

#include <sodium.h>
#include <string.h>

enum { TICKET_TEXT = SIGN_IN_TICKET_TEXT };
static const char WORDS[8] = "sign-in";
static const char PREFIX[] = "pbc_";

static void print_password(unsigned char out[SIGN_IN_PRINT_BYTES], const struct user_key *user)
{
    crypto_generichash(out, SIGN_IN_PRINT_BYTES, (const unsigned char *)user->password_hash,
                       strlen(user->password_hash), NULL, 0);
}

void sign_in_ask_code(struct call *call, const struct user_key *user)
{
    struct sign_in_ticket ticket = { .user = user->caller.user, .since_ms = clock_wall_ms() };
    struct buf sealed = { .limit = TICKET_TEXT }, text = { .limit = TICKET_TEXT };
    memcpy(ticket.words, WORDS, sizeof(WORDS));
    print_password(ticket.password, user);
    secrets_seal(&sealed, &ticket, sizeof(ticket));
    buf_str(&text, PREFIX);
    text_base64(&text, sealed.data, sealed.len, true);
    json_t *body = json_object();
    show_text(body, "Status", "CODE_NEEDED");
    show_text(body, "Ticket", buf_text(&text));
    show_date(body, "EndDate", ticket.since_ms + SIGN_IN_TICKET_MS);
    buf_wipe(&sealed);
    buf_wipe(&text);
    call_json_answer(call, 202, body);
}

bool sign_in_ticket_open(struct sign_in_ticket *ticket, const char *text)
{
    struct buf sealed = { .limit = TICKET_TEXT }, plain = { .limit = TICKET_TEXT };
    bool good = text_starts(text, PREFIX) &&
                text_unbase64(&sealed, text + 4, strlen(text + 4), true) && !sealed.failed &&
                secrets_unseal(&plain, sealed.data, sealed.len) && plain.len == sizeof(*ticket);
    if (good)
        memcpy(ticket, plain.data, sizeof(*ticket));
    buf_wipe(&sealed);
    buf_wipe(&plain);
    int64_t age_ms = good ? clock_wall_ms() - ticket->since_ms : 0;
    return good && memcmp(ticket->words, WORDS, sizeof(WORDS)) == 0 && age_ms >= 0 &&
           age_ms < SIGN_IN_TICKET_MS;
}

bool sign_in_ticket_fits(const struct sign_in_ticket *ticket, const struct user_key *user)
{
    unsigned char print[SIGN_IN_PRINT_BYTES];
    print_password(print, user);
    return sodium_memcmp(print, ticket->password, sizeof(print)) == 0;
}
