/* inquiry_house.h — what the tests of inquiries do and look at, each a job of its own. */
#ifndef POSTBACKD_TEST_INQUIRY_HOUSE_H
#define POSTBACKD_TEST_INQUIRY_HOUSE_H

#include "house.h"

#include "model/event.h"
#include "store/inquiries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

/* ---- steps ---- */

struct opening {
    const struct caller *partner;
    int64_t campaign;
    const char *order, *payout, *type, *currency;
    int64_t id;
    char field[64], problem[200]; /* the first problem, when refused */
};

static inline bool do_open(struct job *job, struct db *db, void *with)
{
    struct opening *mine = with;
    struct inquiry inquiry;
    struct campaign campaign;
    struct problems problems = { 0 };
    bool opened;
    json_t *from = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "CampaignId",
                             (json_int_t)mine->campaign, "OrderId", mine->order, "TransactionDate",
                             "2026-01-05T10:00:00Z", "TransactionAmount", "49.90", "InquiryType",
                             mine->type != NULL ? mine->type : "UNTRACKED", "ExpectedPayout",
                             mine->payout != NULL ? mine->payout : "", "CustomerId", "c-77",
                             "InquiryNotes", "for our eyes", "MediaPartnerInquiryId", "REF1",
                             "Currency", mine->currency != NULL ? mine->currency : "EUR");

    inquiry_read(&inquiry, from, NULL, db_now(db), &problems);
    assert_int_equal(problems.count, 0);
    json_decref(from);
    campaign_of_member(db, mine->campaign, mine->partner->account, &campaign);
    opened = inquiry_open(job, db, mine->partner, &campaign, &inquiry, &problems);
    campaign_clear(&campaign);
    mine->id = opened ? inquiry.id : 0;
    if (problems.count > 0) {
        snprintf(mine->field, sizeof(mine->field), "%s", problems.items[0].field);
        snprintf(mine->problem, sizeof(mine->problem), "%s", problems.items[0].message);
    }
    problems_free(&problems);
    inquiry_free(&inquiry);
    return opened;
}

/* Opens one of the house's partner about an order; gives its id. */
static inline int64_t open_for(struct house *house, const char *order, const char *payout)
{
    struct opening mine = {
        .partner = &house->partner, .campaign = house->campaign, .order = order, .payout = payout
    };
    struct error error;

    if (!house_do(house, do_open, &mine, &error))
        fail_msg("not opened: %s %s %s", error.message, mine.field, mine.problem);
    return mine.id;
}

struct stepping {
    const struct caller *caller;
    int64_t id;
    enum inquiry_step step;
    const char *words;
};

static inline bool do_step(struct job *job, struct db *db, void *with)
{
    const struct stepping *mine = with;

    return inquiry_partner_step(job, db, mine->caller, mine->id, mine->step, mine->words);
}

static inline bool do_comment(struct job *job, struct db *db, void *with)
{
    const struct stepping *mine = with;

    return inquiry_comment(job, db, mine->caller, mine->id, mine->words);
}

static inline enum error_kind step_for(struct house *house, int64_t id, enum inquiry_step step,
                                       const char *words)
{
    struct stepping mine = { &house->partner, id, step, words };
    struct error error;

    return house_do(house, do_step, &mine, &error) ? ERROR_NONE : error.kind;
}

struct deciding {
    const struct caller *brand;
    struct resolution resolution;
    char field[64];
};

static inline bool do_decide(struct job *job, struct db *db, void *with)
{
    struct deciding *mine = with;
    struct problems problems = { 0 };
    bool done = inquiry_resolve(job, db, mine->brand, &mine->resolution, &problems);

    mine->field[0] = '\0';
    if (problems.count > 0)
        snprintf(mine->field, sizeof(mine->field), "%s", problems.items[0].field);
    problems_free(&problems);
    return done;
}

static inline struct deciding decision_of(struct house *house, int64_t id, enum inquiry_step step)
{
    return (struct deciding){
        .brand = &house->brand,
        .resolution = { .id = id,
                        .step = step,
                        .tracker = step == STEP_ACCEPT ? house->tracker : 0,
                        .reject_reason = step == STEP_DECLINE ? 5 : -1,
                        .transaction_at = DATE_NONE },
    };
}

static inline enum error_kind decide_for(struct house *house, int64_t id, enum inquiry_step step)
{
    struct deciding mine = decision_of(house, id, step);
    struct error error;

    return house_do(house, do_decide, &mine, &error) ? ERROR_NONE : error.kind;
}

/* ---- looking ---- */

struct looking {
    const struct caller *caller;
    int64_t id;
    struct inquiry inquiry;
    bool found;
};

static inline bool do_look(struct job *job, struct db *db, void *with)
{
    struct looking *mine = with;

    (void)job;
    mine->found = inquiry_find(db, mine->caller, mine->id, &mine->inquiry);
    return true;
}

/* The caller frees out. */
static inline bool look(struct house *house, const struct caller *caller, int64_t id,
                        struct inquiry *out)
{
    struct looking mine = { .caller = caller, .id = id };

    assert_true(house_do(house, do_look, &mine, NULL));
    *out = mine.inquiry;
    return mine.found;
}

struct event_list {
    int64_t account, inquiry;
    struct buf names, last; /* "opened resolved", and the data of the last */
};

static inline bool do_list_events(struct job *job, struct db *db, void *with)
{
    struct event_list *mine = with;
    struct stmt *list = db_prepare(db, "SELECT type, data FROM event WHERE account = ? AND "
                                       "inquiry = ? ORDER BY id");

    (void)job;
    db_bind_int(list, 1, mine->account);
    db_bind_int(list, 2, mine->inquiry);
    while (db_step(list) == DB_ROW) {
        if (mine->names.len > 0)
            buf_char(&mine->names, ' ');
        buf_str(&mine->names, catalog_type_numbered((int)db_int(list, 0))->name);
        buf_reset(&mine->last);
        buf_str(&mine->last, db_text(list, 1));
    }
    db_finish(list);
    return true;
}

static inline void expect_events(struct house *house, int64_t account, int64_t inquiry,
                                 const char *names)
{
    struct event_list mine = { .account = account, .inquiry = inquiry };

    assert_true(house_do(house, do_list_events, &mine, NULL));
    assert_string_equal(buf_text(&mine.names), names);
    buf_free(&mine.names);
    buf_free(&mine.last);
}

/* The last event's data of an account about an inquiry; the caller frees. */
static inline json_t *last_event(struct house *house, int64_t account, int64_t inquiry)
{
    struct event_list mine = { .account = account, .inquiry = inquiry };
    json_t *data;

    assert_true(house_do(house, do_list_events, &mine, NULL));
    assert_true(mine.last.len <= EVENT_DATA_MAX);
    data = json_loads(buf_text(&mine.last), 0, NULL);
    assert_non_null(data);
    buf_free(&mine.names);
    buf_free(&mine.last);
    return data;
}

static inline const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "(absent)";
}

static inline bool count_actions(struct job *job, struct db *db, void *with)
{
    struct stmt *find = db_prepare(db, "SELECT count(*) FROM action");

    (void)job;
    if (db_step(find) == DB_ROW)
        *(int64_t *)with = db_int(find, 0);
    db_finish(find);
    return true;
}

static inline int64_t actions(struct house *house)
{
    int64_t count = -1;

    assert_true(house_do(house, count_actions, &count, NULL));
    return count;
}

#endif
