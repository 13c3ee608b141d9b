/* nouns.h — the nouns of this folder as the machine below them is given them. */
#ifndef POSTBACKD_STORE_NOUNS_H
#define POSTBACKD_STORE_NOUNS_H

#include "db/nouns.h"
#include "store/quotas.h"

struct store_settings {
    struct quota_limits quota;
    bool mail; /* there is a mailer: letters are written (letters.h) */
};

/* What a commit hands on (store_on_fresh()) is struct postback.in: those that may go out at once.
 * Its settings are a struct store_settings; NULL: no limits, no mail. */
extern const struct db_nouns store_nouns;

#endif
