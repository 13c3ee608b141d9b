/* terms.h — what a partner earns for an action, when the action locks, and when it clears.
 *
 * Terms belong to an action tracker: for all partners or for one, from a date on.  An action copies
 * what it needs of them when it is made (action.h), so no later change of terms touches it.
 *
 * Days are counted in UTC.
 */
#ifndef POSTBACKD_TERMS_H
#define POSTBACKD_TERMS_H

#include "base/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum payout_kind {
    PAYOUT_GRANTED = 0, /* no terms gave it: a sum that was granted, which goes with the amount */
    PAYOUT_PERCENT = 1, /* of the amount */
    PAYOUT_FIXED = 2,   /* a sum, whatever the amount */
};

enum locking_kind {
    LOCKING_NEVER = 0, /* never by itself */
    LOCKING_EVENT = 1, /* counted from the event's date */
    LOCKING_MONTH = 2, /* counted from the end of its month */
};

enum {
    TERMS_PERCENT_UNIT = 10000,                    /* payout of 1 %: four decimals are kept */
    TERMS_PERCENT_MOST = 100 * TERMS_PERCENT_UNIT, /* the whole amount */
    TERMS_DAYS_MOST = 3650,
    TERMS_NEVER = -1, /* clearing_days: it never clears by itself */
};

struct terms {
    int64_t id, campaign, tracker;
    int64_t partner; /* 0: all */
    enum payout_kind payout_kind;
    int64_t
        payout; /* PERCENT: in TERMS_PERCENT_UNITs; FIXED: minor units of the campaign's currency */
    char currency[4]; /* the campaign's */
    enum locking_kind locking;
    int locking_days;      /* after the event's date, or after its month's end */
    int locking_month_day; /* 1 … 31: then on the next such day, or the month's last; 0: at once */
    int clearing_days;     /* after locking, or TERMS_NEVER */
    int64_t from_at;       /* for actions whose event is at this time or later */
    int64_t created_at;
};

/* The payout of an amount (minor units, MONEY_NONE: not known, which earns no percentage), rounded
 * half up to the minor unit.  `payout` is as in struct terms. */
int64_t terms_payout(enum payout_kind kind, int64_t payout, int64_t amount);
/* Their `payout` for an action in this currency: a fixed sum is of the campaign's alone, and is 0
 * in another. */
int64_t terms_rate(const struct terms *terms, const char *currency);
/* What is left of a sum when an amount goes from `whole` to `part`, rounded half up. */
int64_t terms_share(int64_t sum, int64_t part, int64_t whole);
/* DATE_NONE: never by itself. */
int64_t terms_locking_at(const struct terms *terms, int64_t event_at);
int64_t terms_clearing_at(int clearing_days, int64_t locking_at);

/* Reads them from flat fields (an API request), in the campaign's currency; `from_at` without a
 * StartDate is now.  What is wrong is a problem each. */
void terms_read(struct terms *terms, const json_t *from, const char *currency, int64_t now_ms,
                struct problems *problems);
/* As the API shows them, without names and addresses. */
json_t *terms_show(const struct terms *terms);
/* {"Amount", "EventDate", "Payout", "LockingDate", "ClearingDate", "Text"}: what a sale would earn,
 * in figures and in a sentence.  The amount may be MONEY_NONE. */
json_t *terms_preview(const struct terms *terms, int64_t amount, int64_t event_at);

#endif
