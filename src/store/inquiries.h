/* inquiries.h — action inquiries on disk, each step with its event and its postbacks.
 *
 * A step and its postbacks commit together or not at all.  Every function names the account it
 * acts for; another account's inquiry is ERROR_NOT_FOUND.
 */
#ifndef POSTBACKD_INQUIRIES_H
#define POSTBACKD_INQUIRIES_H

#include "base/id_list.h"
#include "db/store.h"
#include "model/account.h"
#include "model/inquiry.h"

struct campaign;

/* Opens it for the calling partner, who is a member of its campaign (campaign_of_member(); one of
 * all zeroes is a problem): refuses a second open one (ERROR_CONFLICT with error->link), writes it,
 * applies the brand's approval rules, publishes action_inquiry.opened.  Sets inquiry->id. */
bool inquiry_open(struct job *job, struct db *db, const struct caller *partner,
                  const struct campaign *campaign, struct inquiry *inquiry,
                  struct problems *problems);

/* STEP_CLOSE; STEP_REOPEN and STEP_REPLY with the comment (REPLY on an inquiry that is not
 * INCOMPLETE only adds the comment and fires nothing). */
bool inquiry_partner_step(struct job *job, struct db *db, const struct caller *partner, int64_t id,
                          enum inquiry_step step, const char *comment);
/* A comment of either side, without a step (the brand's). */
bool inquiry_comment(struct job *job, struct db *db, const struct caller *caller, int64_t id,
                     const char *text);

/* The brand's decision.  Accepting makes the action and publishes action.tracked too. */
bool inquiry_resolve(struct job *job, struct db *db, const struct caller *brand,
                     const struct resolution *resolution, struct problems *problems);

/* The same in so many seconds, unless inquiry_undo() comes before that: what can be wrong with it
 * is told at once.  `decision` is what the resolution was read from, under the API's names. */
bool inquiry_hold(struct job *job, struct db *db, const struct caller *brand, const char *address,
                  const struct resolution *resolution, const json_t *decision, int seconds,
                  struct problems *problems);
/* Nothing of the held decision is left but a note in the brand's history. */
bool inquiry_undo(struct job *job, struct db *db, const struct caller *brand, const char *address,
                  int64_t id);
/* Takes up to `limit` held decisions that have come due; gives how many. */
int inquiry_fire_due(struct job *job, struct db *db, int limit);

/* A person of the caller's account sees to it; 0: nobody. */
bool inquiry_assign(struct job *job, struct db *db, const struct caller *caller, int64_t id,
                    int64_t person);
/* The tracker of the brand's inquiry when its campaign has one alone; 0: it has none, or several.
 */
int64_t inquiry_one_tracker(struct db *db, int64_t inquiry, int64_t brand);

/* What accepting the inquiry by this tracker pays without a FinalPayout: by the terms in force
 * (*by_terms), or what was asked for.  MONEY_NONE: nothing is known, or there is no such inquiry of
 * the brand's. */
int64_t inquiry_payout(struct db *db, const struct caller *brand, int64_t id, int64_t tracker,
                       bool *by_terms, char currency[4]);

/* One that the account may see; false: not found. */
bool inquiry_find(struct db *db, const struct caller *caller, int64_t id, struct inquiry *out);

/* What a list may be sorted by; a brand not by what it may not see.  NULL: no such name. */
struct inquiry_order;
const struct inquiry_order *inquiry_order_named(const char *name, bool for_brand);
/* "Id, CreationDate, …" */
void inquiry_order_names(struct buf *out, bool for_brand);

struct inquiry_filter { /* 0, NULL or DATE_NONE: any */
    int64_t campaign, partner /* for a brand */;
    const char *reference, *customer_id, *order_id;
    const char *search; /* the id, or what inquiry_words.h says is searched */
    enum inquiry_type type;
    enum inquiry_status status;
    enum inquiry_state state;
    enum { HELD_ANY, HELD_NO, HELD_YES } held; /* a decision that can still be taken back */
    int64_t assignee;
    int64_t created_from, created_until, transaction_from,
        transaction_until;             /* ms; from <= x < until */
    int64_t page, page_size;           /* page from 1 */
    const struct inquiry_order *order; /* NULL: newest first, whatever `rising` says */
    bool rising;
};
/* The ids of a page, in its order, and how many there are in all. */
void inquiry_ids(struct db *db, const struct caller *caller, const struct inquiry_filter *filter,
                 struct id_list *ids, int64_t *total);

/* How many match. */
int64_t inquiry_count(struct db *db, const struct caller *caller,
                      const struct inquiry_filter *filter);
/* A walk over all that match, whatever their order: a partner's newest first, a brand's campaign by
 * campaign, in each newest first.  All zeroes: from the start. */
struct inquiry_place {
    int64_t campaign, id; /* where the last ones ended */
    int64_t until;        /* ids from it on came after the walk began */
};
/* The next `limit`; gives how many there were: fewer at the end. */
int inquiry_ids_next(struct db *db, const struct caller *caller,
                     const struct inquiry_filter *filter, struct inquiry_place *place, int limit,
                     struct id_list *ids);

/* How many of the caller's are open and not decided, counted up to INQUIRY_PENDING_MOST. */
enum { INQUIRY_PENDING_MOST = 1000 };
int64_t inquiry_pending_count(struct db *db, const struct caller *caller);

/* Accepts up to `limit` inquiries whose approval rule has come due; gives how many. */
int inquiry_approve_due(struct job *job, struct db *db, int limit);

#endif
