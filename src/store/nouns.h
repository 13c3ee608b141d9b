/* nouns.h — the nouns of this folder as the machine below them is given them. */
#ifndef POSTBACKD_STORE_NOUNS_H
#define POSTBACKD_STORE_NOUNS_H

#include "db/nouns.h"

/* What a commit hands on (store_on_fresh()) is struct postback.in: those that may go out at once.
 * Its settings are a struct quota_limits (quotas.h); NULL: no limits. */
extern const struct db_nouns store_nouns;

#endif
