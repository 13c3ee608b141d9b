/* rules.c — a brand's approval rules: which inquiries are accepted without the brand, and when.
 *
 * A rule is of one campaign, for one partner or for all, and may carry two limits in the
 * campaign's currency: the payout asked must be under one, the sum of what the rule has approved
 * must stay under the other.  An inquiry in another currency, or with no payout asked, is never
 * held to fit a limit: what cannot be compared is left to the brand.
 */
#include "store/campaigns.h"

#include "model/money.h"
#include "model/show.h"

#include <string.h>

/* In the order of rule_from(). */
#define RULE_COLUMNS                                                                               \
    "r.id, r.brand, r.partner, r.campaign, r.tracker, r.wait, r.days, r.payout_under, "            \
    "r.total_under, c.currency "
#define RULE_TABLES "approval_rule r JOIN campaign c ON c.id = r.campaign "

static void rule_from(struct stmt *row, struct approval_rule *out)
{
    memset(out, 0, sizeof(*out));
    out->id = db_int(row, 0);
    out->brand = db_int(row, 1);
    out->partner = db_opt(row, 2, 0);
    out->campaign = db_int(row, 3);
    out->tracker = db_int(row, 4);
    out->wait = (enum rule_wait)db_int(row, 5);
    out->days = (int)db_int(row, 6);
    out->payout_under = db_opt(row, 7, MONEY_NONE);
    out->total_under = db_opt(row, 8, MONEY_NONE);
    show_cut(out->currency, sizeof(out->currency), db_text(row, 9));
}

int64_t rule_add(struct db *db, const struct approval_rule *rule)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO approval_rule (brand, partner, campaign, tracker, wait, days, "
                       "payout_under, total_under, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                       "RETURNING id");

    db_bind_int(add, 1, rule->brand);
    db_bind_opt(add, 2, rule->partner, 0);
    db_bind_int(add, 3, rule->campaign);
    db_bind_int(add, 4, rule->tracker);
    db_bind_int(add, 5, (int64_t)rule->wait);
    db_bind_int(add, 6, rule->days);
    db_bind_opt(add, 7, rule->payout_under, MONEY_NONE);
    db_bind_opt(add, 8, rule->total_under, MONEY_NONE);
    db_bind_int(add, 9, db_now(db));
    return db_insert(add);
}

bool rule_remove(struct db *db, int64_t brand, int64_t rule)
{
    struct stmt *remove = db_prepare(db, "DELETE FROM approval_rule WHERE id = ? AND brand = ?");

    db_bind_int(remove, 1, rule);
    db_bind_int(remove, 2, brand);
    db_run(db, remove);
    return !db_failed(db) && db_changes(db) == 1;
}

static const char *const waits[] = {
    [RULE_AT_ONCE] = "IMMEDIATELY",
    [RULE_DAYS] = "AFTER_DAYS",
    [RULE_DAYS_AFTER_MONTH] = "AFTER_END_OF_MONTH",
};

const char *rule_wait_name(enum rule_wait wait)
{
    return waits[wait];
}

bool rule_wait_named(const char *name, enum rule_wait *wait)
{
    for (int each = RULE_AT_ONCE; each <= RULE_DAYS_AFTER_MONTH; each++) {
        if (strcmp(name, waits[each]) == 0) {
            *wait = (enum rule_wait)each;
            return true;
        }
    }
    return false;
}

json_t *rule_list(struct db *db, int64_t brand)
{
    struct stmt *list =
        db_prepare(db, "SELECT " RULE_COLUMNS ", r.created_at, p.sid, t.name FROM " RULE_TABLES
                       "JOIN tracker t ON t.id = r.tracker LEFT JOIN account p ON p.id = r.partner "
                       "WHERE r.brand = ? ORDER BY r.id");
    json_t *array = json_array();

    db_bind_int(list, 1, brand);
    while (db_step(list) == DB_ROW) {
        struct approval_rule rule;
        json_t *shown = json_object();
        rule_from(list, &rule);
        show_int(shown, "Id", rule.id);
        show_int(shown, "CampaignId", rule.campaign);
        show_text(shown, "PartnerSid", db_text(list, 11));
        show_int(shown, "ActionTrackerId", rule.tracker);
        show_text(shown, "ActionTrackerName", db_text(list, 12));
        show_text(shown, "Approve", rule_wait_name(rule.wait));
        show_int(shown, "Days", rule.days);
        show_money(shown, "PayoutUnder", rule.payout_under, rule.currency);
        show_money(shown, "TotalUnder", rule.total_under, rule.currency);
        show_text(shown, "Currency", rule.currency);
        show_date(shown, "CreationDate", db_int(list, 10));
        json_array_append_new(array, shown);
    }
    db_finish(list);
    return array;
}

int64_t rule_count(struct db *db, int64_t brand)
{
    struct stmt *find = db_prepare(db, "SELECT count(*) FROM approval_rule WHERE brand = ?");
    int64_t count = 0;

    db_bind_int(find, 1, brand);
    if (db_step(find) == DB_ROW)
        count = db_int(find, 0);
    db_finish(find);
    return count;
}

bool rule_find(struct db *db, int64_t rule, struct approval_rule *out)
{
    struct stmt *find = db_prepare(db, "SELECT " RULE_COLUMNS "FROM " RULE_TABLES "WHERE r.id = ?");
    bool found;

    memset(out, 0, sizeof(*out));
    db_bind_int(find, 1, rule);
    found = db_step(find) == DB_ROW;
    if (found)
        rule_from(find, out);
    db_finish(find);
    return found;
}

int64_t rule_total(struct db *db, const struct approval_rule *rule)
{
    struct stmt *find = db_prepare(db, "SELECT sum(coalesce(final_payout, expected_payout, 0)) "
                                       "FROM inquiry WHERE approval_rule = ? AND currency = ? "
                                       "AND status = 2");
    int64_t total = 0;

    db_bind_int(find, 1, rule->id);
    db_bind_text(find, 2, rule->currency);
    if (db_step(find) == DB_ROW)
        total = db_int(find, 0);
    db_finish(find);
    return total;
}

/* Of servers that share a database each sees what the other has accepted, or waits for it. */
static void rule_lock(struct db *db, const struct approval_rule *rule)
{
    if (!db_is_remote(db) || !db_writes(db))
        return;
    struct stmt *put =
        db_prepare(db, "UPDATE approval_rule SET created_at = created_at WHERE id = ?");
    db_bind_int(put, 1, rule->id);
    db_run(db, put);
}

bool rule_fits(struct db *db, const struct approval_rule *rule, const struct inquiry *inquiry)
{
    int64_t payout = inquiry->expected_payout;

    if (rule->payout_under == MONEY_NONE && rule->total_under == MONEY_NONE)
        return true;
    if (payout == MONEY_NONE || strcmp(inquiry->currency, rule->currency) != 0)
        return false;
    if (rule->payout_under != MONEY_NONE && payout >= rule->payout_under)
        return false;
    if (rule->total_under == MONEY_NONE)
        return true;
    rule_lock(db, rule);
    /* Not a sum, which could pass the end of an int64_t. */
    return payout < rule->total_under - rule_total(db, rule);
}

bool rule_match(struct db *db, const struct inquiry *inquiry, struct approval_rule *out)
{
    struct approval_rule rules[RULES_MAX];
    size_t count = 0;
    struct stmt *list =
        db_prepare(db, "SELECT " RULE_COLUMNS "FROM " RULE_TABLES
                       "WHERE r.brand = ? AND r.campaign = ? AND (r.partner = ? OR "
                       "r.partner IS NULL) ORDER BY r.partner IS NULL, r.id LIMIT ?");

    db_bind_int(list, 1, inquiry->brand);
    db_bind_int(list, 2, inquiry->campaign);
    db_bind_int(list, 3, inquiry->partner);
    db_bind_int(list, 4, RULES_MAX);
    while (count < RULES_MAX && db_step(list) == DB_ROW)
        rule_from(list, &rules[count++]);
    db_finish(list);
    for (size_t i = 0; i < count; i++) {
        if (rule_fits(db, &rules[i], inquiry)) {
            *out = rules[i];
            return true;
        }
    }
    return false;
}
