/* campaigns.c — a brand's campaigns, their action trackers and their partner members.
 *
 * A campaign carries the currency that amounts are read in when an inquiry names none, and in
 * which its approval rules' limits are written.  A tracker belongs to one campaign for good: it is
 * always asked for with its campaign, so that one brand's can never slip into another's action.
 */
#include "store/campaigns.h"

#include "base/fail.h"
#include "base/map.h"
#include "model/show.h"

#include <stdlib.h>
#include <string.h>

int64_t campaign_add(struct db *db, int64_t brand, const char *name, const char *currency)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO campaign (brand, name, currency, created_at) VALUES (?, ?, ?, ?) "
            "RETURNING id");

    db_bind_int(add, 1, brand);
    db_bind_text(add, 2, name);
    db_bind_text(add, 3, currency);
    db_bind_int(add, 4, db_now(db));
    return db_insert(add);
}

/* Finishes the statement. */
static bool campaign_read(struct stmt *find, struct campaign *out)
{
    bool found = db_step(find) == DB_ROW;

    memset(out, 0, sizeof(*out));
    if (found) {
        out->id = db_int(find, 0);
        out->brand = db_int(find, 1);
        out->name = db_copy(find, 2);
        out->brand_sid = db_copy(find, 3);
        show_cut(out->currency, sizeof(out->currency), db_text(find, 4));
    }
    db_finish(find);
    return found;
}

#define SQL_CAMPAIGN                                                                               \
    "SELECT c.id, c.brand, c.name, a.sid, c.currency "                                             \
    "FROM campaign c JOIN account a ON a.id = c.brand "

bool campaign_find(struct db *db, int64_t id, struct campaign *out)
{
    struct stmt *find = db_prepare(db, SQL_CAMPAIGN "WHERE c.id = ?");

    db_bind_int(find, 1, id);
    return campaign_read(find, out);
}

bool campaign_of_member(struct db *db, int64_t id, int64_t partner, struct campaign *out)
{
    struct stmt *find = db_prepare(db, SQL_CAMPAIGN "JOIN membership m ON m.campaign = c.id "
                                                    "WHERE c.id = ? AND m.partner = ?");

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, partner);
    return campaign_read(find, out);
}

void campaign_clear(struct campaign *campaign)
{
    free(campaign->name);
    free(campaign->brand_sid);
    memset(campaign, 0, sizeof(*campaign));
}

#define SQL_LIST                                                                                   \
    "SELECT c.id, c.name, c.currency, a.sid, a.name, c.created_at, a.id "                          \
    "FROM campaign c JOIN account a ON a.id = c.brand WHERE c.id > ?1 "
#define SQL_LIST_END "ORDER BY c.id LIMIT ?2"

/* Each case has a text of its own, so that each walks the index made for it. */
static struct stmt *list_prepare(struct db *db, int64_t brand, int64_t partner)
{
    struct stmt *list;

    if (brand == 0 && partner == 0)
        return db_prepare(db, SQL_LIST SQL_LIST_END);
    if (partner == 0) {
        list = db_prepare(db, SQL_LIST "AND c.brand = ?3 " SQL_LIST_END);
        db_bind_int(list, 3, brand);
        return list;
    }
    if (brand == 0) {
        list = db_prepare(db, SQL_LIST "AND c.id IN (SELECT campaign FROM membership "
                                       "WHERE partner = ?3) " SQL_LIST_END);
    } else {
        list = db_prepare(db, SQL_LIST "AND c.id IN (SELECT campaign FROM membership "
                                       "WHERE partner = ?3) AND c.brand = ?4 " SQL_LIST_END);
        db_bind_int(list, 4, brand);
    }
    db_bind_int(list, 3, partner);
    return list;
}

/* One query for the whole page: its campaigns have the ids from first to last, and what lies
 * between and is not on it is not in `arrays`. */
static void trackers_fill(struct db *db, const struct map *arrays, int64_t first, int64_t last)
{
    struct stmt *list = db_prepare(db, "SELECT campaign, id, name FROM tracker "
                                       "WHERE campaign BETWEEN ? AND ? ORDER BY campaign, id");

    db_bind_int(list, 1, first);
    db_bind_int(list, 2, last);
    while (db_step(list) == DB_ROW) {
        json_t *tracker, *trackers = map_get(arrays, db_int(list, 0));
        if (trackers == NULL)
            continue;
        tracker = json_object();
        show_int(tracker, "Id", db_int(list, 1));
        show_text(tracker, "Name", db_text(list, 2));
        json_array_append_new(trackers, tracker);
    }
    db_finish(list);
}

void campaign_ids(struct db *db, int64_t brand, int64_t partner, int64_t offset, int64_t limit,
                  struct id_list *ids, int64_t *total)
{
    static const char *const texts[2][2] = {
        { "SELECT count(*) FROM campaign WHERE brand = ?",
          "SELECT id FROM campaign WHERE brand = ? ORDER BY id LIMIT ? OFFSET ?" },
        { "SELECT count(*) FROM membership WHERE partner = ?",
          "SELECT campaign FROM membership WHERE partner = ? ORDER BY campaign LIMIT ? OFFSET ?" },
    };
    struct stmt *count = db_prepare(db, texts[partner != 0][0]);
    db_bind_int(count, 1, partner != 0 ? partner : brand);
    *total = db_number(count, 0);
    struct stmt *list = db_prepare(db, texts[partner != 0][1]);
    db_bind_int(list, 1, partner != 0 ? partner : brand);
    db_bind_int(list, 2, limit);
    db_bind_int(list, 3, offset);
    while (db_step(list) == DB_ROW)
        id_list_add(ids, db_int(list, 0));
    db_finish(list);
}

json_t *campaign_list(struct db *db, int64_t brand, int64_t partner, int64_t after, int limit)
{
    struct stmt *list = list_prepare(db, brand, partner);
    struct map arrays = { 0 };
    int64_t first = 0, last = 0;
    json_t *array = json_array();

    db_bind_int(list, 1, after);
    db_bind_int(list, 2, limit);
    while (db_step(list) == DB_ROW) {
        json_t *campaign = json_object(), *trackers = json_array();
        last = db_int(list, 0);
        if (first == 0)
            first = last;
        show_int(campaign, "Id", last);
        show_text(campaign, "Name", db_text(list, 1));
        show_text(campaign, "Currency", db_text(list, 2));
        show_text(campaign, "BrandSid", db_text(list, 3));
        show_text(campaign, "BrandName", db_text(list, 4));
        show_date(campaign, "CreationDate", db_int(list, 5));
        show_int(campaign, "CampaignId", last); /* the published names of the same */
        show_text(campaign, "CampaignName", db_text(list, 1));
        show_int(campaign, "AdvertiserId", db_int(list, 6));
        show_text(campaign, "AdvertiserName", db_text(list, 4));
        json_object_set_new(campaign, "Trackers", trackers);
        map_put(&arrays, last, trackers);
        json_array_append_new(array, campaign);
    }
    db_finish(list);
    if (first != 0)
        trackers_fill(db, &arrays, first, last);
    map_free(&arrays);
    return array;
}

int64_t tracker_add(struct db *db, int64_t campaign, const char *name)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO tracker (campaign, name, created_at) VALUES (?, ?, ?) "
                       "ON CONFLICT DO NOTHING RETURNING id");

    db_bind_int(add, 1, campaign);
    db_bind_text(add, 2, name);
    db_bind_int(add, 3, db_now(db));
    return db_insert(add);
}

char *tracker_name(struct db *db, int64_t campaign, int64_t tracker)
{
    struct stmt *find = db_prepare(db, "SELECT name FROM tracker WHERE id = ? AND campaign = ?");
    char *name = NULL;

    db_bind_int(find, 1, tracker);
    db_bind_int(find, 2, campaign);
    if (db_step(find) == DB_ROW)
        name = db_copy(find, 0);
    db_finish(find);
    return name;
}

bool membership_add(struct db *db, int64_t campaign, int64_t partner)
{
    struct stmt *add = db_prepare(db, "INSERT INTO membership (campaign, partner, created_at) "
                                      "VALUES (?, ?, ?) ON CONFLICT DO NOTHING");

    db_bind_int(add, 1, campaign);
    db_bind_int(add, 2, partner);
    db_bind_int(add, 3, db_now(db));
    db_run(db, add);
    return !db_failed(db) && db_changes(db) == 1;
}

bool membership_remove(struct db *db, int64_t campaign, int64_t partner)
{
    struct stmt *remove =
        db_prepare(db, "DELETE FROM membership WHERE campaign = ? AND partner = ?");

    db_bind_int(remove, 1, campaign);
    db_bind_int(remove, 2, partner);
    db_run(db, remove);
    return !db_failed(db) && db_changes(db) == 1;
}

bool membership_exists(struct db *db, int64_t campaign, int64_t partner)
{
    struct stmt *find =
        db_prepare(db, "SELECT 1 FROM membership WHERE campaign = ? AND partner = ?");
    bool found;

    db_bind_int(find, 1, campaign);
    db_bind_int(find, 2, partner);
    found = db_step(find) == DB_ROW;
    db_finish(find);
    return found;
}

json_t *membership_list(struct db *db, int64_t campaign, int64_t after, int limit)
{
    struct stmt *list = db_prepare(db, "SELECT a.id, a.sid, a.name, m.created_at "
                                       "FROM membership m JOIN account a ON a.id = m.partner "
                                       "WHERE m.campaign = ? AND m.partner > ? "
                                       "ORDER BY m.partner LIMIT ?");
    json_t *array = json_array();

    db_bind_int(list, 1, campaign);
    db_bind_int(list, 2, after);
    db_bind_int(list, 3, limit);
    while (db_step(list) == DB_ROW) {
        json_t *member = json_object();
        show_int(member, "Id", db_int(list, 0));
        show_text(member, "PartnerSid", db_text(list, 1));
        show_text(member, "PartnerName", db_text(list, 2));
        show_date(member, "MemberSince", db_int(list, 3));
        json_array_append_new(array, member);
    }
    db_finish(list);
    return array;
}

char *campaigns_currency(struct db *db, int64_t account)
{
    struct stmt *find =
        db_prepare(db, "SELECT CASE WHEN min(currency) = max(currency) THEN min(currency) END "
                       "FROM campaign WHERE brand = ?1 "
                       "OR id IN (SELECT campaign FROM membership WHERE partner = ?1)");
    char *currency;

    db_bind_int(find, 1, account);
    currency = db_step(find) == DB_ROW ? db_copy(find, 0) : must_copy("");
    db_finish(find);
    return currency;
}
