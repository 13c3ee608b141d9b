/* link.c — the tokens, addresses and letters of links, by kind. */
#include "model/link.h"

#include "model/date.h"

#include <sodium.h>
#include <string.h>

enum { RANDOM_BYTES = 32 };

/* Of libsodium's keyed BLAKE2b: no other kind of token passes for a link's. */
static const char hash_key[] = "postbackd: a link";

static const struct kind {
    const char *name, *page, *subject;
    const char *first, *then; /* of the letter: before the account's name, and behind it */
    int64_t lasts_ms;
} kinds[] = {
    [LINK_INVITATION] = { "INVITATION", "/invitation", "Invitation to ", "You are invited to ",
                          ". Open this address to accept, and choose a password:",
                          LINK_INVITATION_MS },
    [LINK_PASSWORD] = { "PASSWORD", "/new-password", "Another password for ",
                        "Somebody, probably you, wants another password for ",
                        ". Open this address to choose it:", LINK_PASSWORD_MS },
    [LINK_EMAIL] = { "EMAIL", "/confirm-address", "Your mail address for ",
                     "This is to be your mail address for ",
                     ". Open this address to confirm it:", LINK_EMAIL_MS },
};

int64_t link_lasts_ms(enum link_kind kind)
{
    return kinds[kind].lasts_ms;
}

const char *link_kind_name(enum link_kind kind)
{
    return kinds[kind].name;
}

void link_random(char out[TOKEN_TEXT])
{
    unsigned char bytes[RANDOM_BYTES];
    randombytes_buf(bytes, sizeof(bytes));
    memcpy(out, "pbl_", 4);
    sodium_bin2base64(out + 4, TOKEN_TEXT - 4, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

void link_hash(unsigned char out[TOKEN_HASH_BYTES], const char *token)
{
    crypto_generichash(out, TOKEN_HASH_BYTES, (const unsigned char *)token, strlen(token),
                       (const unsigned char *)hash_key, sizeof(hash_key) - 1);
}

void link_address(struct buf *out, const char *origin, enum link_kind kind, const char *token)
{
    buf_fmt(out, "%s%s#%s", origin != NULL ? origin : "", kinds[kind].page, token);
}

void link_letter(struct buf *subject, struct buf *text, enum link_kind kind, const char *account,
                 const char *inviter, const char *address, int64_t expires_at)
{
    char until[DATE_TEXT];
    buf_fmt(subject, "%s%s", kinds[kind].subject, account);
    buf_str(text, kinds[kind].first);
    buf_str(text, account);
    if (kind == LINK_INVITATION)
        buf_fmt(text, " by %s", inviter);
    buf_fmt(text,
            "%s\n\n%s\n\nIt is good once, until %s. If you know nothing of this, do nothing.\n",
            kinds[kind].then, address, date_words(until, expires_at));
}
