/* tracking.h — the tokens of campaigns, with which conversions are sent to /Track. */
#ifndef POSTBACKD_TRACKING_H
#define POSTBACKD_TRACKING_H

#include "db/db.h"
#include "model/account.h"

#include <jansson.h>

enum { TRACKING_TOKENS_MAX = 100 }; /* of one campaign, without the revoked ones */

/* 0: the campaign has as many as it may have. */
int64_t tracking_token_add(struct db *db, int64_t campaign, const char *label,
                           const unsigned char hash[TOKEN_HASH_BYTES]);
bool tracking_token_revoke(struct db *db, int64_t campaign, int64_t token);
json_t *tracking_token_list(struct db *db, int64_t campaign); /* never the hash */
/* Whether this token is the campaign's, and not revoked. */
bool tracking_token_is(struct db *db, int64_t campaign, const unsigned char hash[TOKEN_HASH_BYTES]);

#endif
