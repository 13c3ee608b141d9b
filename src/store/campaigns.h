/* campaigns.h — a brand's campaigns, their action trackers, partner members and approval rules. */
#ifndef POSTBACKD_CAMPAIGNS_H
#define POSTBACKD_CAMPAIGNS_H

#include "base/id_list.h"
#include "db/db.h"
#include "model/inquiry.h"

#include <jansson.h>

struct campaign {
    int64_t id, brand;
    char *name, *brand_sid;
    char currency[4];
};

int64_t campaign_add(struct db *db, int64_t brand, const char *name, const char *currency);
/* The currency of an account's campaigns, a brand's own or those a partner is a member of, to be
 * freed; "" when there is none, or more than one. */
char *campaigns_currency(struct db *db, int64_t account);
bool campaign_find(struct db *db, int64_t id, struct campaign *out);
/* The same, of one that the partner is a member of.  False: *out is all zeroes. */
bool campaign_of_member(struct db *db, int64_t id, int64_t partner, struct campaign *out);
void campaign_clear(struct campaign *campaign);
/* A page of this brand's, or of those with this member (the other is 0), by id; and how many there
 * are in all. */
void campaign_ids(struct db *db, int64_t brand, int64_t partner, int64_t offset, int64_t limit,
                  struct id_list *ids, int64_t *total);
/* The API's objects, with their trackers: of this brand and with this member (0: any), by id, after
 * `after`, at most `limit`. */
json_t *campaign_list(struct db *db, int64_t brand, int64_t partner, int64_t after, int limit);

int64_t tracker_add(struct db *db, int64_t campaign, const char *name); /* 0: the name is taken */
/* The tracker's name, to be freed by the caller; NULL when it is not of that campaign. */
char *tracker_name(struct db *db, int64_t campaign, int64_t tracker);

bool membership_add(struct db *db, int64_t campaign, int64_t partner); /* false: was one already */
bool membership_remove(struct db *db, int64_t campaign, int64_t partner);
bool membership_exists(struct db *db, int64_t campaign, int64_t partner);
/* By the partners' ids, after `after`, at most `limit`. */
json_t *membership_list(struct db *db, int64_t campaign, int64_t after, int limit);

enum { RULES_MAX = 200 }; /* of one brand */
enum rule_wait { RULE_AT_ONCE = 1, RULE_DAYS = 2, RULE_DAYS_AFTER_MONTH = 3 };
struct approval_rule {
    int64_t id, brand, partner /* 0: all */, campaign, tracker;
    enum rule_wait wait;
    int days;
    int64_t payout_under, total_under; /* minor units, or MONEY_NONE */
    char currency[4];                  /* of both: the campaign's; filled when read */
};
const char *rule_wait_name(enum rule_wait wait); /* IMMEDIATELY AFTER_DAYS AFTER_END_OF_MONTH */
bool rule_wait_named(const char *name, enum rule_wait *wait);

int64_t rule_add(struct db *db, const struct approval_rule *rule);
bool rule_remove(struct db *db, int64_t brand, int64_t rule);
json_t *rule_list(struct db *db, int64_t brand);
int64_t rule_count(struct db *db, int64_t brand);
bool rule_find(struct db *db, int64_t rule, struct approval_rule *out);
/* Whether the inquiry keeps the rule's limits now. */
bool rule_fits(struct db *db, const struct approval_rule *rule, const struct inquiry *inquiry);
/* The first rule of the inquiry's brand, campaign and partner (one for this partner goes before one
 * for all, then by id) whose limits it keeps. */
bool rule_match(struct db *db, const struct inquiry *inquiry, struct approval_rule *out);
/* What inquiries accepted under this rule add up to (final payout, else expected), in its currency.
 */
int64_t rule_total(struct db *db, const struct approval_rule *rule);

#endif
