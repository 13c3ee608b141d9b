/* account.c — names of accounts' kinds, users' roles and tokens' scopes, and the making of SIDs and
 * tokens.
 *
 * The names are the API's, in tables.  SIDs are public names: random so that none can be guessed
 * from another, and short enough to read out.  Tokens are secrets of 256 bits, so a plain hash
 * (BLAKE2b, no salt, no key) is enough to keep them: there is nothing to guess, and a hash without
 * salt can be looked up by an index.
 *
 * The rule that must never break: a token's text is given out once and never kept.
 */
#include "model/account.h"

#include "base/text.h"

#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct name {
    int value;
    const char *text;
};

static const struct name kinds[] = {
    { ACCOUNT_PARTNER, "PARTNER" },
    { ACCOUNT_BRAND, "BRAND" },
    { ACCOUNT_OPERATOR, "OPERATOR" },
};
static const struct name scopes[] = {
    { SCOPE_API, "API" },
    { SCOPE_READ, "READ" },
    { SCOPE_EVENTS, "EVENTS" },
    { SCOPE_ADMIN, "ADMIN" },
};
static const struct name roles[] = {
    { ROLE_USER, "USER" },
    { ROLE_READ_ONLY, "READ_ONLY" },
    { ROLE_ADMIN, "ADMIN" },
};
enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0]),
    SCOPES = sizeof(scopes) / sizeof(scopes[0]),
    ROLES = sizeof(roles) / sizeof(roles[0]),
    SID_RANDOM = 22, /* characters behind the kind's two letters: 130 bits */
    TOKEN_BYTES = 32,
};

/* At least 16 bytes: of libsodium's keyed BLAKE2b, to hash one text in ways that do not meet. */
static const char session_key[] = "postbackd: a session", csrf_key[] = "postbackd: a form's proof";

static const char *name_of(const struct name *names, size_t count, int value)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].value == value)
            return names[i].text;
    }
    return "UNKNOWN";
}

static const struct name *find(const struct name *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (text_same(names[i].text, text))
            return &names[i];
    }
    return NULL;
}

const char *account_kind_name(enum account_kind kind)
{
    return name_of(kinds, KINDS, (int)kind);
}

bool account_kind_named(const char *name, enum account_kind *kind)
{
    const struct name *found = find(kinds, KINDS, name);
    if (found != NULL)
        *kind = (enum account_kind)found->value;
    return found != NULL;
}

const char *scope_name(enum scope scope)
{
    return name_of(scopes, SCOPES, (int)scope);
}

bool scope_named(const char *name, enum scope *scope)
{
    const struct name *found = find(scopes, SCOPES - 1, name); /* the last is no token's */
    if (found != NULL)
        *scope = (enum scope)found->value;
    return found != NULL;
}

const char *role_name(enum role role)
{
    return name_of(roles, ROLES, (int)role);
}

bool role_named(const char *name, enum role *role)
{
    const struct name *found = find(roles, ROLES, name);
    if (found != NULL)
        *role = (enum role)found->value;
    return found != NULL;
}

unsigned role_scope(enum role role)
{
    if (role == ROLE_READ_ONLY)
        return SCOPE_READ;
    return role == ROLE_ADMIN ? SCOPE_API | SCOPE_ADMIN : SCOPE_API;
}

/* Up to `most` parts of at least one of these characters, the first a letter. */
static bool has_form(const char *text, const char *joint, const char *further, int most)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char all[sizeof(letters) + 16];
    snprintf(all, sizeof(all), "%s%s", letters, further);
    if (strspn(text, letters) == 0)
        return false;
    for (int part = 0; part < most; part++) {
        size_t len = strspn(text, all);
        if (len == 0 || len > 20)
            return false;
        if (text[len] == '\0')
            return true;
        if (text[len] != *joint)
            return false;
        text += len + 1;
    }
    return false;
}

const char *time_zone_flaw(const char *name)
{
    return *name == '\0' || has_form(name, "/", "0123456789_+-", 3)
               ? NULL
               : "must be the name of a time zone, as Europe/Berlin";
}

const char *locale_flaw(const char *tag)
{
    size_t language = strcspn(tag, "-");
    return *tag == '\0' || (language >= 2 && language <= 8 && has_form(tag, "-", "0123456789", 4))
               ? NULL
               : "must be the tag of a language, as de-DE";
}

void account_sid_random(char out[SID_TEXT], enum account_kind kind)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *letters = kind == ACCOUNT_PARTNER ? "PA" : kind == ACCOUNT_BRAND ? "BR" : "OP";
    out[0] = letters[0];
    out[1] = letters[1];
    for (int i = 0; i < SID_RANDOM; i++)
        out[2 + i] = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
    out[2 + SID_RANDOM] = '\0';
}

/* "pbt_" and base64url. */
static void random_text(char out[TOKEN_TEXT], const char prefix[4])
{
    unsigned char bytes[TOKEN_BYTES];
    randombytes_buf(bytes, sizeof(bytes));
    memcpy(out, prefix, 4);
    sodium_bin2base64(out + 4, TOKEN_TEXT - 4, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

void token_random(char out[TOKEN_TEXT])
{
    random_text(out, "pbt_");
}

void session_random(char out[TOKEN_TEXT])
{
    random_text(out, "pbs_");
}

void token_hash(unsigned char out[TOKEN_HASH_BYTES], const char *token)
{
    crypto_generichash(out, TOKEN_HASH_BYTES, (const unsigned char *)token, strlen(token), NULL, 0);
}

void session_hash(unsigned char out[TOKEN_HASH_BYTES], const char *token)
{
    crypto_generichash(out, TOKEN_HASH_BYTES, (const unsigned char *)token, strlen(token),
                       (const unsigned char *)session_key, sizeof(session_key) - 1);
}

/* Made of the session's token, so it needs no keeping, and who cannot read the cookie cannot make
 * it: neither another site's page nor a script that got into ours. */
void session_csrf(char out[TOKEN_TEXT], const char *token)
{
    unsigned char bytes[TOKEN_HASH_BYTES];
    crypto_generichash(bytes, sizeof(bytes), (const unsigned char *)token, strlen(token),
                       (const unsigned char *)csrf_key, sizeof(csrf_key) - 1);
    sodium_bin2base64(out, TOKEN_TEXT, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

const char *password_flaw(const char *password)
{
    size_t length = text_length(password);
    if (length < PASSWORD_LEAST)
        return "must have 12 characters or more";
    return length > PASSWORD_MOST ? "must have at most 200 characters" : NULL;
}
