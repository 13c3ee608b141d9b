/* limits.h — the API's rate limit: so many requests an account and clock hour, counted in memory;
 * and the slowing of wrong sign-ins by address. */
#ifndef POSTBACKD_LIMITS_H
#define POSTBACKD_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct limits;
struct limits *limits_new(int requests_an_hour);              /* default 1,000; 0: no limit */
void limits_set(struct limits *limits, int requests_an_hour); /* takes force at once */
void limits_free(struct limits *limits);

struct limit { /* what the X-RateLimit-* headers say */
    int most, left;
    int64_t reset_s; /* seconds until the count starts anew */
};
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
