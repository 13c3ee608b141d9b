/* identities.h — who calls: a short-lived cache of tokens and SIDs, so that the hot path reads no
 * store.
 *
 * A token's holder is believed for IDENTITY_FRESH_MS, then asked for again.  When a token, a
 * session, a user or an account has changed (CHANGE_ACCESS, api_hear()) all are forgotten; a read
 * of the store that was under way meanwhile is then done again, so no revoked token outlives its
 * revocation.
 */
#ifndef POSTBACKD_IDENTITIES_H
#define POSTBACKD_IDENTITIES_H

#include "model/account.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct call;
struct identities;

enum { IDENTITY_FRESH_MS = 5000, IDENTITIES_MAX = 4096 /* of tokens, and of SIDs */ };

struct identities *identities_new(void);
void identities_free(struct identities *identities);
void identities_forget_all(struct identities *identities);

/* Finds out who holds the token, at once or after a read of the store: then sets call->caller and
 * goes on with call_enter(), or answers 401 (an unknown token, another account's SID). */
void identities_sign_in(struct api *api, struct call *call, const char *sid, const char *token);
/* The same with a session's token. */
void identities_resume(struct api *api, struct call *call, const char *token);

/* An active account's id by its SID; 0: not in the cache (which says nothing about the store). */
int64_t identities_account(struct identities *identities, const char *sid, int64_t now_ms);
void identities_learn(struct identities *identities, const char *sid, int64_t account,
                      int64_t now_ms);

/* Whether a tracking token (by its hash) was right lately: then its call is not held up when others
 * guess from the same address.  It says nothing about now. */
bool identities_tracks(const struct identities *identities, const unsigned char *hash);
void identities_tracked(struct identities *identities, const unsigned char *hash, bool right);

#endif
