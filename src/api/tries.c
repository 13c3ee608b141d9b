/* tries.c — counting tries of passwords, and the browsers that are known.
 *
 * The cookie is "pbd_" and, sealed, a struct device.  It begins with words of its own, so that
 * nothing else that was ever sealed under the key can pass for one.
 *
 * The rule: no count that somebody else can fill decides over one who has shown a credential.
 */
#include "api/tries.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "store/allowances.h"
#include "store/secrets.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char WORDS[16] = "pbd: a browser";

struct device {
    char words[sizeof(WORDS)];
    unsigned char user[16]; /* user_hash() of the mail address */
    unsigned char fingerprint[DEVICE_FINGERPRINT_BYTES];
    int64_t since_ms; /* wall clock */
};

/* ---- names to count by ---- */

static void hash_name(char out[LIMITS_NAME_TEXT], char kind, const void *bytes, size_t len)
{
    unsigned char hash[16];
    crypto_generichash(hash, sizeof(hash), bytes, len, NULL, 0);
    out[0] = kind;
    sodium_bin2hex(out + 1, LIMITS_NAME_TEXT - 1, hash, sizeof(hash));
}

/* A hash, as mail addresses may be longer than a name may. */
static void user_hash(unsigned char out[16], const char *email)
{
    char lower[USER_EMAIL_TEXT];
    size_t len = 0;
    for (; email[len] != '\0' && len < sizeof(lower) - 1; len++)
        lower[len] =
            (char)(email[len] >= 'A' && email[len] <= 'Z' ? email[len] - 'A' + 'a' : email[len]);
    crypto_generichash(out, 16, (const unsigned char *)lower, len, NULL, 0);
}

static void fingerprint_of(unsigned char out[DEVICE_FINGERPRINT_BYTES], const char *password_hash)
{
    crypto_generichash(out, DEVICE_FINGERPRINT_BYTES, (const unsigned char *)password_hash,
                       strlen(password_hash), NULL, 0);
}

/* ---- the cookie ---- */

/* With https the prefix has the browser take it only from here, for all paths and no other host. */
static const char *cookie_name(const struct api *api)
{
    return api_is_secure(api) ? "__Host-postbackd_device" : "postbackd_device";
}

static bool device_open(struct device *device, const char *cookie)
{
    struct buf sealed = { .limit = DEVICE_COOKIE_TEXT }, plain = { .limit = DEVICE_COOKIE_TEXT };
    bool good = text_starts(cookie, "pbd_") &&
                text_unbase64(&sealed, cookie + 4, strlen(cookie + 4), true) && !sealed.failed &&
                secrets_unseal(&plain, sealed.data, sealed.len) && plain.len == sizeof(*device);
    if (good)
        memcpy(device, plain.data, sizeof(*device));
    buf_free(&sealed);
    buf_free(&plain);
    return good && memcmp(device->words, WORDS, sizeof(WORDS)) == 0;
}

void try_remember(struct api *api, struct call *call, const char *email, const char *password_hash)
{
    struct device device = { .since_ms = clock_wall_ms() };
    struct buf sealed = { .limit = DEVICE_COOKIE_TEXT }, line = { .limit = 2 * DEVICE_COOKIE_TEXT };
    memcpy(device.words, WORDS, sizeof(WORDS));
    user_hash(device.user, email);
    fingerprint_of(device.fingerprint, password_hash);
    secrets_seal(&sealed, &device, sizeof(device));
    buf_fmt(&line, "%s=pbd_", cookie_name(api));
    text_base64(&line, sealed.data, sealed.len, true);
    buf_fmt(&line, "; Path=%s; HttpOnly; SameSite=Strict; Max-Age=%d%s",
            api_is_secure(api) ? "/" : "/Session", DEVICE_DAYS * 86400,
            api_is_secure(api) ? "; Secure" : "");
    call_add_header(call, "Set-Cookie", buf_text(&line));
    buf_free(&sealed);
    buf_free(&line);
}

/* Whether the browser signed in as this user before; then try->own counts its tries. */
static bool is_known(struct try *try, const struct api *api, const struct call *call,
                     const unsigned char user[16])
{
    char cookie[DEVICE_COOKIE_TEXT];
    struct device device;
    if (!call_cookie(call, cookie_name(api), cookie, sizeof(cookie)) ||
        !device_open(&device, cookie) || memcmp(device.user, user, sizeof(device.user)) != 0 ||
        clock_wall_ms() - device.since_ms > (int64_t)DEVICE_DAYS * 86400 * 1000)
        return false;
    hash_name(try->own, 'd', cookie, strlen(cookie));
    memcpy(try->fingerprint, device.fingerprint, sizeof(device.fingerprint));
    return true;
}

/* ---- counting ---- */

void try_refuse(struct call *call)
{
    call_add_header(call, "Retry-After", "60");
    call_refuse(call, 429, NULL, "Too many wrong sign-ins; wait a minute.");
}

static int refuse(struct call *call)
{
    try_refuse(call);
    return 0;
}

static int count_own(const struct try *try, struct api *api)
{
    return limits_failed(api->limits, try->own, clock_steady_ms());
}

static int count_as_anybody(struct try *try, struct api *api, struct call *call)
{
    int64_t now_ms = clock_steady_ms();
    try->own[0] = '\0';
    if (!limits_may_try(api->limits, call->address, now_ms) ||
        !limits_may_try(api->limits, try->user, now_ms))
        return refuse(call);
    limits_failed(api->limits, call->address, now_ms);
    return limits_failed(api->limits, try->user, now_ms);
}

int try_begin(struct try *try, struct api *api, struct call *call, const char *email)
{
    unsigned char user[16];
    user_hash(user, email);
    try->user[0] = '@';
    sodium_bin2hex(try->user + 1, sizeof(try->user) - 1, user, sizeof(user));
    /* Whose own count is full has what everybody has. */
    if (is_known(try, api, call, user) && limits_may_try(api->limits, try->own, clock_steady_ms()))
        return count_own(try, api);
    return count_as_anybody(try, api, call);
}

void try_in_session(struct try *try, const char *token)
{
    hash_name(try->own, 's', token, strlen(token));
    try->user[0] = '\0';
}

int try_begin_in_session(struct try *try, struct api *api, struct call *call, const char *token)
{
    try_in_session(try, token);
    return limits_may_try(api->limits, try->own, clock_steady_ms()) ? count_own(try, api)
                                                                    : refuse(call);
}

/* Whether it was counted as a browser's own, whose cookie is for another password. */
static bool is_outdated(const struct try *try, const char *password_hash)
{
    unsigned char now[DEVICE_FINGERPRINT_BYTES];
    fingerprint_of(now, password_hash);
    return try->own[0] == 'd' && memcmp(now, try->fingerprint, sizeof(now)) != 0;
}

void try_check(struct try *try, struct api *api, struct call *call, const char *password_hash,
               int *tries)
{
    if (!is_outdated(try, password_hash))
        return;
    limits_forgive(api->limits, try->own);
    *tries = count_as_anybody(try, api, call);
}

bool try_count(struct api *api, struct call *call, char kind, const void *bytes, size_t len)
{
    char name[LIMITS_NAME_TEXT];
    hash_name(name, kind, bytes, len);
    if (!limits_may_try(api->limits, name, clock_steady_ms())) {
        call_add_header(call, "Retry-After", "60");
        call_refuse(call, 429, NULL, "Too many of these; wait a minute.");
        return false;
    }
    limits_failed(api->limits, name, clock_steady_ms());
    return true;
}

bool try_count_client(struct api *api, struct call *call, char kind)
{
    char client[LIMITS_NAME_TEXT];
    limits_client(client, call->address);
    return try_count(api, call, kind, client, strlen(client));
}

void try_uncount_client(struct api *api, struct call *call, char kind)
{
    char client[LIMITS_NAME_TEXT], name[LIMITS_NAME_TEXT];
    limits_client(client, call->address);
    hash_name(name, kind, client, strlen(client));
    limits_forgive(api->limits, name);
}

/* ---- over all servers ---- */

enum { NAMES_MOST = 2, MINUTE_MS = 60000 };

bool tries_are_shared(const struct api *api)
{
    return store_guard(api->store) != NULL;
}

static struct allowance allowance_of(const char *name, int64_t minute)
{
    int64_t key;
    crypto_generichash((unsigned char *)&key, sizeof(key), (const unsigned char *)name,
                       strlen(name), NULL, 0);
    return (struct allowance){ ALLOWANCE_PASSWORDS, key & INT64_MAX, minute, LIMITS_GUESSES_MAX };
}

/* What it counts by in its minute: its own count, or what everybody has. */
static size_t allowances_of(const struct try *try, bool own, const char *address,
                            struct allowance out[NAMES_MOST])
{
    char client[LIMITS_NAME_TEXT];
    if (own) {
        out[0] = allowance_of(try->own, try->minute);
        return 1;
    }
    limits_client(client, address);
    out[0] = allowance_of(client, try->minute);
    out[1] = allowance_of(try->user, try->minute);
    return 2;
}

bool try_draw(struct try *try, struct db *db, const char *address, const char *password_hash)
{
    struct allowance all[NAMES_MOST];
    int used, got = 1;
    size_t drawn = 0;
    bool own = try->own[0] != '\0' && !is_outdated(try, password_hash);
    try->minute = db_now(db) / MINUTE_MS;
    size_t count = allowances_of(try, own, address, all);
    while (drawn < count && (got = allowance_draw(db, &all[drawn], 1, &used)) == 1)
        drawn++;
    if (got == 1)
        return true;
    while (drawn > 0)
        allowance_give_back(db, &all[--drawn]);
    try->minute = 0;
    return false;
}

struct giving_back {
    struct job job;
    struct allowance all[NAMES_MOST];
    size_t count;
};

static bool give_back_run(struct job *job, struct db *db)
{
    const struct giving_back *giving = (const struct giving_back *)job;
    for (size_t i = 0; i < giving->count; i++)
        allowance_give_back(db, &giving->all[i]);
    return true;
}

static void give_back_done(struct job *job, bool ok)
{
    (void)ok; /* then it counts until the minute is over */
    free(job);
}

static void give_back(const struct try *try, struct api *api, const struct call *call)
{
    if (try->minute == 0)
        return;
    struct giving_back *giving = must_alloc(sizeof(*giving));
    giving->job.run = give_back_run;
    giving->job.done = give_back_done;
    giving->count = allowances_of(try, try->own[0] != '\0', call->address, giving->all);
    store_aside(api->store, &giving->job);
}

void try_forgive(const struct try *try, struct api *api, const struct call *call)
{
    give_back(try, api, call);
    if (try->own[0] != '\0') {
        limits_forgive(api->limits, try->own);
        return;
    }
    limits_forgive(api->limits, call->address);
    limits_forgive(api->limits, try->user);
}
