/* limits.c — how often an account may call, and how often an address may guess.
 *
 * Requests: a count for each account that called in this clock hour; all are forgotten when the
 * hour turns.  Only signed-in accounts are counted, so there are no more counts than accounts.
 * Guesses: an entry for each address with a failure in the last minute, in a list by the time of
 * its first one.  Anyone can add to these, so they are capped: past the cap the oldest goes.  An
 * IPv6 address counts as its /64, because one client commonly owns all of that.
 */
#include "server/limits.h"

#include "base/fail.h"
#include "base/list.h"
#include "base/map.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    GUESS_WINDOW_MS = 60 * 1000,
    GUESSERS_MAX = 16384,
};

struct guesser {
    struct list in;
    char address[INET6_ADDRSTRLEN];
    int failures;
    int64_t until; /* of the window, or, when refused, of that */
};

struct grant { /* what was drawn for an account in this hour */
    int64_t account;
    int count, granted;
    int used; /* drawn in all, by all servers; -1: not known yet */
};

struct limits {
    int most;
    int64_t hour;
    struct map counts;   /* account → its count, kept in the pointer itself */
    bool shared;         /* then there are grants instead */
    struct map grants;   /* account → struct grant */
    struct map guessers; /* address → struct guesser */
    struct list by_age;
};

struct limits *limits_new(int requests_an_hour)
{
    struct limits *limits = must_alloc(sizeof(*limits));
    limits->most = requests_an_hour;
    list_init(&limits->by_age);
    return limits;
}

void limits_set(struct limits *limits, int requests_an_hour)
{
    limits->most = requests_an_hour;
}

static void guesser_forget(struct limits *limits, struct guesser *guesser)
{
    map_remove_text(&limits->guessers, guesser->address, strlen(guesser->address));
    list_remove(&guesser->in);
    free(guesser);
}

static void forget_grants(struct limits *limits)
{
    size_t at = 0;
    for (struct grant *grant; (grant = map_each(&limits->grants, &at)) != NULL;)
        free(grant);
    map_free(&limits->grants);
    memset(&limits->grants, 0, sizeof(limits->grants));
}

void limits_free(struct limits *limits)
{
    if (limits == NULL)
        return;
    struct list *first;
    while ((first = list_first(&limits->by_age)) != NULL)
        guesser_forget(limits, container_of(first, struct guesser, in));
    map_free(&limits->guessers);
    map_free(&limits->counts);
    forget_grants(limits);
    free(limits);
}

static void turn_to(struct limits *limits, int64_t hour)
{
    if (hour == limits->hour)
        return;
    map_free(&limits->counts);
    memset(&limits->counts, 0, sizeof(limits->counts));
    forget_grants(limits);
    limits->hour = hour;
}

/* ---- shared ---- */

void limits_share(struct limits *limits)
{
    limits->shared = true;
}

static struct grant *grant_of(struct limits *limits, int64_t account)
{
    struct grant *grant = map_get(&limits->grants, account);
    if (grant == NULL) {
        grant = must_alloc(sizeof(*grant));
        *grant = (struct grant){ .account = account, .used = -1 };
        map_put(&limits->grants, account, grant);
    }
    return grant;
}

void limits_wish(struct limits *limits, int64_t account, int64_t now_ms, struct limits_wish *out)
{
    *out = (struct limits_wish){ .most = limits->most };
    turn_to(limits, now_ms / LIMITS_HOUR_MS);
    if (!limits->shared || limits->most == 0)
        return;
    const struct grant *grant = grant_of(limits, account);
    int block = limits->most / LIMITS_BLOCKS, left = grant->granted - grant->count;
    block = block > 0 ? block : 1;
    if (grant->used >= limits->most || left > block / 2)
        return;
    out->want = block;
    out->must = left <= 0;
}

void limits_drawn(struct limits *limits, int64_t account, int64_t hour, int got, int used)
{
    if (hour != limits->hour)
        return;
    struct grant *grant = grant_of(limits, account);
    grant->granted += got;
    grant->used = used;
}

/* One that was asked for in the hour before is let in. */
static bool count_shared(struct limits *limits, int64_t account, struct limit *out)
{
    struct grant *grant = grant_of(limits, account);
    if (grant->count >= grant->granted && grant->used != -1) {
        out->left = 0;
        return false;
    }
    grant->count++;
    int left = grant->granted - grant->count + limits->most - (grant->used > 0 ? grant->used : 0);
    out->left = left > 0 ? left : 0;
    return true;
}

bool limits_count(struct limits *limits, int64_t account, int64_t now_ms, struct limit *out)
{
    int64_t hour = now_ms / LIMITS_HOUR_MS;
    turn_to(limits, hour);
    out->most = limits->most;
    out->reset_s = ((hour + 1) * LIMITS_HOUR_MS - now_ms + 999) / 1000;
    if (limits->most == 0) {
        out->left = INT32_MAX;
        return true;
    }
    if (limits->shared)
        return count_shared(limits, account, out);
    intptr_t count = (intptr_t)map_get(&limits->counts, account);
    if (count >= limits->most) {
        out->left = 0;
        return false;
    }
    map_put(&limits->counts, account, (void *)(count + 1));
    out->left = (int)(limits->most - count - 1);
    return true;
}

void limits_client(char out[LIMITS_NAME_TEXT], const char *address)
{
    struct in6_addr six;
    out[0] = '\0';
    if (inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six)) {
        memset(six.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &six, out, LIMITS_NAME_TEXT);
        return;
    }
    size_t len = strnlen(address, LIMITS_NAME_TEXT - 1);
    memcpy(out, address, len);
    out[len] = '\0';
}

bool limits_may_try(struct limits *limits, const char *address, int64_t now_ms)
{
    char name[LIMITS_NAME_TEXT];
    limits_client(name, address);
    const struct guesser *guesser = map_get_text(&limits->guessers, name, strlen(name));
    return guesser == NULL || guesser->failures < LIMITS_GUESSES_MAX || now_ms >= guesser->until;
}

static struct guesser *guesser_add(struct limits *limits, const char *name)
{
    if (limits->guessers.count >= GUESSERS_MAX)
        guesser_forget(limits, container_of(limits->by_age.next, struct guesser, in));
    struct guesser *guesser = must_alloc(sizeof(*guesser));
    memcpy(guesser->address, name, sizeof(guesser->address));
    list_init(&guesser->in);
    map_put_text(&limits->guessers, name, strlen(name), guesser);
    return guesser;
}

int limits_failed(struct limits *limits, const char *address, int64_t now_ms)
{
    char name[LIMITS_NAME_TEXT] = { 0 };
    limits_client(name, address);
    struct guesser *guesser = map_get_text(&limits->guessers, name, strlen(name));
    if (guesser == NULL)
        guesser = guesser_add(limits, name);
    if (guesser->failures == 0 || now_ms >= guesser->until) {
        guesser->failures = 0;
        guesser->until = now_ms + GUESS_WINDOW_MS;
    }
    if (++guesser->failures == LIMITS_GUESSES_MAX)
        guesser->until = now_ms + GUESS_WINDOW_MS;
    list_remove(&guesser->in);
    list_append(&limits->by_age, &guesser->in);

    struct guesser *oldest = container_of(limits->by_age.next, struct guesser, in);
    if (oldest != guesser && now_ms >= oldest->until)
        guesser_forget(limits, oldest);
    return guesser->failures;
}

void limits_forgive(struct limits *limits, const char *address)
{
    char name[LIMITS_NAME_TEXT];
    limits_client(name, address);
    struct guesser *guesser = map_get_text(&limits->guessers, name, strlen(name));
    if (guesser != NULL && --guesser->failures <= 0)
        guesser_forget(limits, guesser);
}
