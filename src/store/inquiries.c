/* inquiries.c — the steps of an inquiry's life, each in one transaction with what follows from it.
 *
 * Every step goes the same way: the inquiry is read under the caller's account, the model says
 * whether the step may be taken and takes it, the row is written, and the event goes to the
 * partner's and to the brand's event notifications, each in its own view.  The rule that must
 * never break: no row changes without its event, and no event is written for a row that did not.
 *
 * An approval rule acts as the brand.  A decision that the brand makes itself takes the inquiry
 * out of its rule, so that nothing declined or asked about is accepted later by the clock.
 */
#include "store/inquiries.h"

#include "base/fail.h"
#include "base/log.h"
#include "db/tx.h"
#include "store/accounts.h"
#include "store/actions.h"
#include "store/campaigns.h"
#include "store/events.h"
#include "store/held_decisions.h"
#include "store/inquiry_history.h"
#include "store/inquiry_rows.h"
#include "store/inquiry_words.h"
#include "store/terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INQUIRY_COMMENTS_MAX = 200 };

/* The data of an event is capped: the oldest comments are left out of it until the rest fits. */
static bool data_write(const struct inquiry *inquiry, bool for_brand, struct buf *out)
{
    struct inquiry view = *inquiry;

    for (;;) {
        buf_reset(out);
        inquiry_event_data(&view, for_brand, out);
        if (!out->failed && out->len <= EVENT_DATA_MAX)
            return true;
        if (view.comment_count == 0)
            return false;
        view.comments++;
        view.comment_count--;
    }
}

static bool publish(struct job *job, struct db *db, const struct inquiry *inquiry, const char *type)
{
    struct buf data = { 0 };

    for (int brand = 0; brand <= 1; brand++) {
        struct event *event;
        if (!data_write(inquiry, brand, &data)) {
            error_set(&job->error, ERROR_INVALID, "the inquiry's fields are together too long");
            buf_free(&data);
            return false;
        }
        event = event_new(brand ? inquiry->brand : inquiry->partner, catalog_type(type), db_now(db),
                          inquiry->id, buf_text(&data), data.len);
        event_publish(job, db, event);
        tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = event->account });
        event_unref(event);
    }
    buf_free(&data);
    return true;
}

/* Its row is written: what goes with that. */
static bool step_taken(struct job *job, struct db *db, const struct inquiry *inquiry,
                       enum inquiry_step step, const char *author, const char *comment)
{
    inquiry_history_step(db, inquiry, step, author, comment);
    inquiry_words_write(db, inquiry);
    return publish(job, db, inquiry, inquiry_step_event(step));
}

static bool not_found(struct job *job, int64_t id)
{
    error_set(&job->error, ERROR_NOT_FOUND, "There is no action inquiry %" PRId64 ".", id);
    return false;
}

/* Gives false, for `return refuse_second(…)`. */
static bool refuse_second(struct job *job, const char *sid, int64_t first)
{
    error_set(&job->error, ERROR_CONFLICT,
              "An inquiry of this type about this order is open already: action inquiry %" PRId64
              ".",
              first);
    snprintf(job->error.link, sizeof(job->error.link), "/Mediapartners/%s/ActionInquiries/%" PRId64,
             sid, first);
    return false;
}

/* It took another step after it was read. */
static bool refuse_changed(struct job *job, int64_t id)
{
    error_set(&job->error, ERROR_CONFLICT,
              "Action inquiry %" PRId64 " was changed just now; look at it again.", id);
    return false;
}

/* The id of the partner's open inquiry of the same campaign, order and type; 0: none. */
static int64_t find_open(struct db *db, const struct inquiry *inquiry)
{
    struct stmt *find = db_prepare(db, "SELECT id FROM inquiry WHERE partner = ? AND campaign = ? "
                                       "AND order_id = ? AND type = ? AND state = 1");
    int64_t id = 0;

    db_bind_int(find, 1, inquiry->partner);
    db_bind_int(find, 2, inquiry->campaign);
    db_bind_text(find, 3, inquiry->order_id);
    db_bind_int(find, 4, (int64_t)inquiry->type);
    if (db_step(find) == DB_ROW)
        id = db_int(find, 0);
    db_finish(find);
    return id;
}

static void audit_rule(struct db *db, const struct approval_rule *rule,
                       const struct inquiry *inquiry)
{
    struct caller by_rule = { .account = rule->brand, .kind = ACCOUNT_BRAND };
    char object[160];

    snprintf(by_rule.name, sizeof(by_rule.name), "approval rule %" PRId64, rule->id);
    snprintf(object, sizeof(object), "/Advertisers/%s/ActionInquiries/%" PRId64, inquiry->brand_sid,
             inquiry->id);
    audit_add(db, &by_rule, "", "inquiry.accept", object, NULL);
}

/* The payout of an inquiry that has just become VALID without one being named: by the terms.
 * False: there are none, and what was asked for stays granted. */
static bool pay_by_terms(struct db *db, struct inquiry *inquiry,
                         const struct resolution *resolution)
{
    struct terms terms;

    if (resolution->final_payout != NULL ||
        !terms_in_force(db, resolution->tracker, inquiry->partner, inquiry->transaction_at, &terms))
        return false;
    inquiry->final_payout =
        terms_payout(terms.payout_kind, terms_rate(&terms, inquiry->currency), inquiry->amount);
    return true;
}

/* The action of an inquiry that has just become VALID. */
static bool make_action(struct job *job, struct db *db, struct inquiry *inquiry,
                        const struct resolution *resolution, const char *tracker)
{
    struct action action = { 0 };
    bool by_terms = pay_by_terms(db, inquiry, resolution), made;

    action_from_inquiry(&action, inquiry, resolution->tracker, tracker, db_now(db));
    if (by_terms) /* the same, and it goes on by them when it is changed */
        action.payout = MONEY_NONE;
    if (resolution->customer_id != NULL) {
        free(action.customer_id);
        action.customer_id = must_copy(resolution->customer_id);
    }
    if (resolution->items != NULL) {
        free(action.items);
        action.items = json_dumps(resolution->items, JSON_COMPACT);
    }
    made = action_track(job, db, &action);
    inquiry->action = action.id;
    action_free(&action);
    return made;
}

/* The name of the tracker that the new action belongs to, owned by the caller; NULL: a problem. */
static char *find_tracker(struct db *db, const struct inquiry *inquiry,
                          const struct resolution *resolution, struct problems *problems)
{
    const char *field =
        resolution->label != NULL ? resolution->label("ActionTrackerId") : "ActionTrackerId";
    char *name = NULL;

    if (resolution->tracker == 0) {
        problems_add(problems, field, "is required to accept an inquiry");
        return NULL;
    }
    name = tracker_name(db, inquiry->campaign, resolution->tracker);
    if (name == NULL)
        problems_add(problems, field, "is not an action tracker of campaign %" PRId64,
                     inquiry->campaign);
    return name;
}

/* Takes the decision on an inquiry that has been read, whoever decides.  Nothing is written when
 * there are problems, though the struct may have been changed. */
static bool decide(struct job *job, struct db *db, struct inquiry *inquiry,
                   const struct resolution *resolution, const char *author,
                   struct problems *problems)
{
    bool accept = resolution->step == STEP_ACCEPT, done = false;
    char *tracker = NULL;

    resolution_apply(resolution, inquiry, db_now(db), problems, &job->error);
    if (job->error.kind != ERROR_NONE) /* it may not be decided now */
        return false;
    if (accept)
        tracker = find_tracker(db, inquiry, resolution, problems);
    if (problems->count == 0)
        done = (!accept || make_action(job, db, inquiry, resolution, tracker));
    if (!done)
        error_set(&job->error, ERROR_INVALID, "The decision is not valid.");
    else if (inquiry_row_update(db, inquiry))
        done = step_taken(job, db, inquiry, resolution->step, author, NULL);
    else
        done = refuse_changed(job, inquiry->id);
    free(tracker);
    return done;
}

static bool decide_by_rule(struct job *job, struct db *db, struct inquiry *inquiry,
                           const struct approval_rule *rule)
{
    struct problems problems = { 0 };
    struct resolution accept = {
        .id = inquiry->id,
        .step = STEP_ACCEPT,
        .tracker = rule->tracker,
        .reject_reason = -1,
        .transaction_at = DATE_NONE,
    };
    char author[40];
    bool done;

    snprintf(author, sizeof(author), "approval rule %" PRId64, rule->id);
    done = decide(job, db, inquiry, &accept, author, &problems);
    if (done)
        audit_rule(db, rule, inquiry);
    else if (problems.count > 0)
        log_warn("approval_rule_refused", LOG_N("rule", rule->id), LOG_N("inquiry", inquiry->id),
                 LOG_T("field", problems.items[0].field),
                 LOG_T("reason", problems.items[0].message));
    problems_free(&problems);
    return done;
}

/* When a rule accepts an inquiry made now. */
static int64_t rule_at(const struct approval_rule *rule, int64_t now)
{
    switch (rule->wait) {
    case RULE_DAYS:
        return date_add_days(now, rule->days);
    case RULE_DAYS_AFTER_MONTH:
        return date_add_days(date_end_of_month(now), rule->days);
    case RULE_AT_ONCE:
        break;
    }
    return now;
}

/* Ids, names and sids of everybody concerned.  False with a problem: campaign and membership are
 * refused in the same words, so that nothing is told of other campaigns. */
static bool fill_parties(struct job *job, struct db *db, const struct caller *partner,
                         const struct campaign *campaign, struct inquiry *inquiry,
                         struct problems *problems)
{
    struct account account;

    if (campaign->id == 0 || campaign->id != inquiry->campaign) {
        problems_add(problems, "CampaignId", "not a campaign you are a member of");
        error_set(&job->error, ERROR_INVALID, "The inquiry is not valid.");
        return false;
    }
    inquiry->partner = partner->account;
    inquiry->brand = campaign->brand;
    free(inquiry->campaign_name);
    free(inquiry->brand_sid);
    inquiry->campaign_name = must_copy(campaign->name);
    inquiry->brand_sid = must_copy(campaign->brand_sid);
    if (inquiry->currency[0] == '\0')
        memcpy(inquiry->currency, campaign->currency, sizeof(inquiry->currency));
    account_find(db, partner->account, &account);
    free(inquiry->partner_name);
    free(inquiry->partner_sid);
    inquiry->partner_name = account.name;
    inquiry->partner_sid = must_copy(partner->sid);
    free(account.email);
    return true;
}

static bool add_comment(struct job *job, struct db *db, const struct caller *caller,
                        struct inquiry *inquiry, const char *text)
{
    if (inquiry->comment_count >= INQUIRY_COMMENTS_MAX) {
        error_set(&job->error, ERROR_CONFLICT, "An inquiry holds at most %d comments.",
                  INQUIRY_COMMENTS_MAX);
        return false;
    }
    comment_row_insert(db, inquiry->id, caller->account, caller->name, text);
    comment_append(inquiry, caller->name, text, db_now(db));
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = inquiry->partner });
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = inquiry->brand });
    return true;
}

bool inquiry_open(struct job *job, struct db *db, const struct caller *partner,
                  const struct campaign *campaign, struct inquiry *inquiry,
                  struct problems *problems)
{
    struct approval_rule rule = { 0 };
    int64_t first, now = db_now(db);
    bool ruled;

    if (!fill_parties(job, db, partner, campaign, inquiry, problems))
        return false;
    first = find_open(db, inquiry);
    if (first != 0)
        return refuse_second(job, partner->sid, first);
    if (!inquiry_step(inquiry, STEP_OPEN, now, &job->error))
        return false;
    inquiry->created_at = now;
    inquiry->auto_approval_at = DATE_NONE;
    ruled = rule_match(db, inquiry, &rule);
    if (ruled)
        inquiry->auto_approval_at = rule_at(&rule, now);
    if (!inquiry_row_insert(db, inquiry, rule.id))
        return refuse_second(job, partner->sid, find_open(db, inquiry));
    /* What the partner says with it opens the thread, which the brand reads too. */
    if (inquiry->notes != NULL && inquiry->notes[0] != '\0' &&
        !add_comment(job, db, partner, inquiry, inquiry->notes))
        return false;
    if (!step_taken(job, db, inquiry, STEP_OPEN, partner->name, NULL))
        return false;
    return !ruled || rule.wait != RULE_AT_ONCE || decide_by_rule(job, db, inquiry, &rule);
}

/* Whether the words alone are the step: a comment on what awaits no answer. */
static bool only_words(const struct inquiry *inquiry, enum inquiry_step step)
{
    return step == STEP_REPLY &&
           (inquiry->status != STATUS_INCOMPLETE || inquiry->state != INQUIRY_OPEN);
}

static bool fire(struct job *job, struct db *db, const struct inquiry *inquiry);

bool inquiry_partner_step(struct job *job, struct db *db, const struct caller *partner, int64_t id,
                          enum inquiry_step step, const char *comment)
{
    struct inquiry inquiry = { 0 };
    bool words = comment != NULL && comment[0] != '\0', done = false;

    if (partner->kind != ACCOUNT_PARTNER || !inquiry_find(db, partner, id, &inquiry))
        return not_found(job, id);
    if (!words && (step == STEP_REPLY || step == STEP_REOPEN)) {
        error_set(&job->error, ERROR_INVALID, "A comment is required.");
        goto out;
    }
    if (only_words(&inquiry, step)) {
        done = add_comment(job, db, partner, &inquiry, comment);
        inquiry_words_write(db, &inquiry);
        goto out;
    }
    if (inquiry.held_status != 0 && step == STEP_CLOSE) { /* it was decided before */
        fire(job, db, &inquiry);
        inquiry_free(&inquiry);
        inquiry_find(db, partner, id, &inquiry);
    }
    if (!inquiry_step(&inquiry, step, db_now(db), &job->error))
        goto out;
    if (words && !add_comment(job, db, partner, &inquiry, comment))
        goto out;
    if (!inquiry_row_update(db, &inquiry)) {
        int64_t open = find_open(db, &inquiry);
        if (open != 0 && open != id)
            refuse_second(job, partner->sid, open);
        else
            refuse_changed(job, id);
        goto out;
    }
    done = step_taken(job, db, &inquiry, step, partner->name, comment);
out:
    inquiry_free(&inquiry);
    return done;
}

/* ---- decisions that can still be taken back ---- */

static const char *const decided[] = {
    [STEP_ACCEPT] = "inquiry.accept",
    [STEP_DECLINE] = "inquiry.decline",
    [STEP_ASK] = "inquiry.ask",
};
static const enum inquiry_status leads_to[] = {
    [STEP_ACCEPT] = STATUS_VALID,
    [STEP_DECLINE] = STATUS_DECLINED,
    [STEP_ASK] = STATUS_INCOMPLETE,
};

static void audit_brand(struct db *db, const struct caller *caller, const char *address,
                        const char *action, const struct inquiry *inquiry)
{
    char object[160];

    snprintf(object, sizeof(object), "/Advertisers/%s/ActionInquiries/%" PRId64, inquiry->brand_sid,
             inquiry->id);
    audit_add(db, caller, address, action, object, NULL);
}

static bool refuse_held(struct job *job, int64_t id)
{
    error_set(&job->error, ERROR_CONFLICT,
              "Action inquiry %" PRId64
              " is being decided: the decision can be taken back for some seconds yet.",
              id);
    return false;
}

/* All that is looked at before anything is written, on an inquiry that is thrown away then. */
static bool may_decide(struct job *job, struct db *db, struct inquiry *inquiry,
                       const struct resolution *resolution, struct problems *problems)
{
    resolution_apply(resolution, inquiry, db_now(db), problems, &job->error);
    if (job->error.kind != ERROR_NONE)
        return false;
    if (resolution->step == STEP_ACCEPT)
        free(find_tracker(db, inquiry, resolution, problems));
    if (problems->count > 0)
        error_set(&job->error, ERROR_INVALID, "The decision is not valid.");
    return problems->count == 0;
}

bool inquiry_hold(struct job *job, struct db *db, const struct caller *brand, const char *address,
                  const struct resolution *resolution, const json_t *decision, int seconds,
                  struct problems *problems)
{
    struct inquiry inquiry = { 0 };
    bool done;

    if (brand->kind != ACCOUNT_BRAND || !inquiry_find(db, brand, resolution->id, &inquiry))
        return not_found(job, resolution->id);
    done = may_decide(job, db, &inquiry, resolution, problems);
    if (done) {
        done = held_decision_add(db, inquiry.id, leads_to[resolution->step], brand, address,
                                 decision, db_now(db) + (int64_t)seconds * 1000) ||
               refuse_held(job, inquiry.id);
        audit_brand(db, brand, address, "inquiry.hold", &inquiry);
        tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = inquiry.brand });
    }
    inquiry_free(&inquiry);
    return done;
}

bool inquiry_undo(struct job *job, struct db *db, const struct caller *brand, const char *address,
                  int64_t id)
{
    struct inquiry inquiry = { 0 };
    struct held_decision held;
    bool done;

    if (brand->kind != ACCOUNT_BRAND || !inquiry_find(db, brand, id, &inquiry))
        return not_found(job, id);
    done = held_decision_take(db, id, &held);
    if (done) {
        inquiry_history_note(db, id, NOTE_UNDONE, brand->account, brand->name,
                             inquiry_status_name(inquiry.held_status));
        audit_brand(db, brand, address, "inquiry.undo", &inquiry);
        tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = inquiry.brand });
    } else {
        error_set(
            &job->error, ERROR_CONFLICT,
            "There is no decision on action inquiry %" PRId64 " that can still be taken back.", id);
    }
    held_decision_clear(&held);
    inquiry_free(&inquiry);
    return done;
}

/* Takes a decision that was held.  False: there is none, or it can be taken no more; then it has
 * gone, with a note. */
static bool fire(struct job *job, struct db *db, const struct inquiry *inquiry)
{
    struct held_decision held;
    struct problems problems = { 0 };
    struct resolution resolution = { 0 };
    bool done = false;

    if (!held_decision_take(db, inquiry->id, &held))
        return false;
    resolution_read(&resolution, held.decision, NULL, &problems);
    if (problems.count == 0)
        done = inquiry_resolve(job, db, &held.caller, &resolution, &problems);
    if (done) {
        audit_brand(db, &held.caller, held.address, decided[resolution.step], inquiry);
    } else if (!db_failed(db)) {
        log_warn(
            "held_decision_refused", LOG_N("inquiry", inquiry->id),
            LOG_T("reason", problems.count > 0 ? problems.items[0].message : job->error.message));
        inquiry_history_note(db, inquiry->id, NOTE_LAPSED, held.caller.account, held.caller.name,
                             problems.count > 0 ? problems.items[0].message : job->error.message);
        job->error = (struct error){ 0 };
    }
    resolution_free(&resolution);
    problems_free(&problems);
    held_decision_clear(&held);
    return done;
}

bool inquiry_comment(struct job *job, struct db *db, const struct caller *caller, int64_t id,
                     const char *text)
{
    struct inquiry inquiry = { 0 };
    bool done;

    if (!inquiry_find(db, caller, id, &inquiry))
        return not_found(job, id);
    done = add_comment(job, db, caller, &inquiry, text);
    if (done)
        inquiry_words_write(db, &inquiry);
    inquiry_free(&inquiry);
    return done;
}

bool inquiry_resolve(struct job *job, struct db *db, const struct caller *brand,
                     const struct resolution *resolution, struct problems *problems)
{
    struct inquiry inquiry = { 0 };
    bool done;

    if (brand->kind != ACCOUNT_BRAND || !inquiry_find(db, brand, resolution->id, &inquiry))
        return not_found(job, resolution->id);
    inquiry.auto_approval_at = DATE_NONE;
    done = inquiry.held_status != 0 ? refuse_held(job, inquiry.id)
                                    : decide(job, db, &inquiry, resolution, brand->name, problems);
    if (done)
        inquiry_row_rule(db, inquiry.id, 0);
    inquiry_free(&inquiry);
    return done;
}

struct due {
    int64_t inquiry, rule;
};

static size_t find_due(struct db *db, struct due *out, size_t most)
{
    struct stmt *list = db_prepare(db, "SELECT id, coalesce(approval_rule, 0) FROM inquiry "
                                       "WHERE auto_approval_at <= ? AND status = 1 AND state = 1 "
                                       "AND NOT EXISTS (SELECT 1 FROM held_decision h "
                                       "WHERE h.inquiry = inquiry.id) "
                                       "ORDER BY auto_approval_at, id LIMIT ?");
    size_t count = 0;

    db_bind_int(list, 1, db_now(db));
    db_bind_int(list, 2, (int64_t)most);
    while (count < most && db_step(list) == DB_ROW) {
        out[count].inquiry = db_int(list, 0);
        out[count++].rule = db_int(list, 1);
    }
    db_finish(list);
    return count;
}

/* The one read without a caller's account: the rule is the brand's own. */
static bool find_any(struct db *db, int64_t id, struct inquiry *out)
{
    struct stmt *find = db_prepare(db, INQUIRY_SELECT "WHERE i.id = ?");
    bool found;

    db_bind_int(find, 1, id);
    found = db_step(find) == DB_ROW;
    if (found)
        inquiry_row_read(out, find);
    db_finish(find);
    if (found)
        comments_load(db, out, 1);
    return found;
}

/* Accepts it, or takes it out of its rule and so leaves it to the brand. */
static bool approve(struct job *job, struct db *db, const struct due *due)
{
    struct approval_rule rule;
    struct inquiry inquiry = { 0 };
    bool done;

    if (!find_any(db, due->inquiry, &inquiry))
        return false;
    done = rule_find(db, due->rule, &rule) && rule_fits(db, &rule, &inquiry) &&
           decide_by_rule(job, db, &inquiry, &rule);
    inquiry_free(&inquiry);
    if (!done && find_any(db, due->inquiry, &inquiry)) {
        memset(&job->error, 0, sizeof(job->error));
        inquiry.auto_approval_at = DATE_NONE;
        inquiry_row_update(db, &inquiry);
        inquiry_row_rule(db, inquiry.id, 0);
        inquiry_free(&inquiry);
    }
    return done;
}

int inquiry_approve_due(struct job *job, struct db *db, int limit)
{
    struct due due[100];
    size_t most = sizeof(due) / sizeof(due[0]), count;
    int accepted = 0;

    if (limit < (int)most)
        most = limit > 0 ? (size_t)limit : 0;
    count = find_due(db, due, most);
    for (size_t i = 0; i < count && !db_failed(db); i++)
        accepted += approve(job, db, &due[i]) ? 1 : 0;
    return accepted;
}

int inquiry_fire_due(struct job *job, struct db *db, int limit)
{
    int64_t due[100];
    size_t most = sizeof(due) / sizeof(due[0]);
    size_t count = held_decisions_due(db, due, limit < (int)most ? (size_t)limit : most);

    for (size_t i = 0; i < count && !db_failed(db); i++) {
        struct inquiry inquiry = { 0 };
        if (find_any(db, due[i], &inquiry))
            fire(job, db, &inquiry);
        inquiry_free(&inquiry);
    }
    return (int)count;
}

bool inquiry_assign(struct job *job, struct db *db, const struct caller *caller, int64_t id,
                    int64_t person)
{
    struct inquiry inquiry = { 0 };
    bool brand = caller->kind == ACCOUNT_BRAND;
    struct stmt *set = brand
                           ? db_prepare(db, "UPDATE inquiry SET brand_assignee = ? WHERE id = ?")
                           : db_prepare(db, "UPDATE inquiry SET partner_assignee = ? WHERE id = ?");

    if (!inquiry_find(db, caller, id, &inquiry)) {
        db_finish(set);
        return not_found(job, id);
    }
    db_bind_opt(set, 1, person, 0);
    db_bind_int(set, 2, id);
    db_run(db, set);
    inquiry_free(&inquiry);
    if (!inquiry_find(db, caller, id, &inquiry))
        return not_found(job, id);
    inquiry_history_note(db, id, NOTE_ASSIGNED, caller->account, caller->name,
                         brand ? inquiry.brand_assignee_name : inquiry.partner_assignee_name);
    inquiry_free(&inquiry);
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = caller->account });
    return true;
}

int64_t inquiry_one_tracker(struct db *db, int64_t inquiry, int64_t brand)
{
    struct stmt *find = db_prepare(db, "SELECT min(t.id), count(*) FROM tracker t "
                                       "JOIN inquiry i ON i.campaign = t.campaign "
                                       "WHERE i.id = ? AND i.brand = ?");
    int64_t tracker = 0;

    db_bind_int(find, 1, inquiry);
    db_bind_int(find, 2, brand);
    if (db_step(find) == DB_ROW && db_int(find, 1) == 1)
        tracker = db_int(find, 0);
    db_finish(find);
    return tracker;
}
