/* limits.h — the API's rate limit: so many requests an account and clock hour, counted in memory;
 * and the slowing of wrong sign-ins by address.
 *
 * Where servers share the limit each has a part of it, which it draws in blocks of a twentieth
 * (api/allowances.h) and counts from here. */
#ifndef POSTBACKD_LIMITS_H
#define POSTBACKD_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct limits;
struct limits *limits_new(int requests_an_hour);              /* default 1,000; 0: no limit */
void limits_set(struct limits *limits, int requests_an_hour); /* takes force at once */
void limits_free(struct limits *limits);

struct limit {       /* what the X-RateLimit-* headers say */
    int most, left;  /* left: shared, what no other server has drawn */
    int64_t reset_s; /* seconds until the count starts anew */
};
/* Shared: from now on an account has what was drawn for it. */
enum { LIMITS_HOUR_MS = 3600 * 1000, LIMITS_BLOCKS = 20 };
void limits_share(struct limits *limits);
struct limits_wish {
    int want;  /* so many are to be drawn for it, beside what it does; 0: none */
    bool must; /* before it is let in: there is none left here, and may be elsewhere */
    int most;
};
/* What the account's next request needs; nothing where the limit is not shared. */
void limits_wish(struct limits *limits, int64_t account, int64_t now_ms, struct limits_wish *out);
/* `got` were drawn in that hour, with which `used` are given out to all servers. */
void limits_drawn(struct limits *limits, int64_t account, int64_t hour, int got, int used);

/* Counts one request; false: over the limit (nothing counted). */
bool limits_count(struct limits *limits, int64_t account, int64_t now_ms, struct limit *out);

/* Guessing: after 10 failures of an address within a minute it is refused for a minute.  So is a
 * name that is guessed at from many addresses: LIMITS_NAME_TEXT characters that are no address. */
enum { LIMITS_GUESSES_MAX = 10, LIMITS_NAME_TEXT = 46 };
/* The client that an address belongs to: an IPv6 address as its /64, which one client commonly owns
 * all of. */
void limits_client(char out[LIMITS_NAME_TEXT], const char *address);
bool limits_may_try(struct limits *limits, const char *address, int64_t now_ms);
/* Gives how many there are now. */
int limits_failed(struct limits *limits, const char *address, int64_t now_ms);
/* The last failure was none: for those that are counted before it is known, because many may be
 * tried at once. */
void limits_forgive(struct limits *limits, const char *address);

#endif
