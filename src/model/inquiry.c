/* inquiry.c — the names in an action inquiry, and its life.
 *
 * The life is one table, `rules`: each step with the statuses it may start from and what it leads
 * to.  inquiry_step() is the only place where status or state change; a step that no row allows
 * changes nothing and says why.  Two rules hold for every path through it: VALID is never left,
 * and CLOSED is never left.
 */
#include "model/inquiry.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Indexed by the enum; the second column is what the pages call it. */
static const char *const types[][2] = {
    [INQUIRY_UNTRACKED] = { "UNTRACKED", "Order not tracked" },
    [INQUIRY_INCORRECT] = { "INCORRECT", "Order tracked incorrectly" },
    [INQUIRY_DECLINED_TYPE] = { "DECLINED", "Order incorrectly rejected" },
};
static const char *const statuses[] = {
    [STATUS_UNRESOLVED] = "UNRESOLVED",
    [STATUS_VALID] = "VALID",
    [STATUS_DECLINED] = "DECLINED",
    [STATUS_INCOMPLETE] = "INCOMPLETE",
};
static const char *const states[] = { [INQUIRY_OPEN] = "OPEN", [INQUIRY_CLOSED] = "CLOSED" };

/* Kept on disk by index: the order never changes. */
static const char *const reasons[] = {
    "This transaction has been tracked successfully",
    "Another marketing channel was credited with the sale",
    "Another marketing channel was credited with the sale, due to a voucher/discount code used",
    "Did not meet terms and conditions set by merchant",
    "Transaction not completed - Order cancelled, changed, or returned",
    "Transaction cannot be traced",
    "Transaction not fully completed online",
    "Enquiry does not provide complete information required for evaluation",
    "Other",
};
/* How bulk files spell the second and third. */
static const struct {
    const char *text;
    int reason;
} other_spellings[] = {
    { "Another marketing channel was credited with sale", 1 },
    { "Another marketing channel was credited with sale, due to a voucher/discount code used", 2 },
};

enum {
    TYPE_COUNT = sizeof(types) / sizeof(types[0]),
    STATUS_COUNT = sizeof(statuses) / sizeof(statuses[0]),
    STATE_COUNT = sizeof(states) / sizeof(states[0]),
    REASON_COUNT = sizeof(reasons) / sizeof(reasons[0]),
};

const char *inquiry_type_name(enum inquiry_type type)
{
    return type >= INQUIRY_UNTRACKED && (int)type < TYPE_COUNT ? types[type][0] : "";
}

const char *inquiry_status_name(enum inquiry_status status)
{
    return status >= STATUS_UNRESOLVED && (int)status < STATUS_COUNT ? statuses[status] : "";
}

const char *inquiry_state_name(enum inquiry_state state)
{
    return state >= INQUIRY_OPEN && (int)state < STATE_COUNT ? states[state] : "";
}

bool inquiry_type_named(const char *name, enum inquiry_type *type)
{
    for (int i = INQUIRY_UNTRACKED; i < TYPE_COUNT; i++) {
        if (text_same(name, types[i][0]) || text_same(name, types[i][1])) {
            *type = (enum inquiry_type)i;
            return true;
        }
    }
    return false;
}

bool inquiry_status_named(const char *name, enum inquiry_status *status)
{
    for (int i = STATUS_UNRESOLVED; i < STATUS_COUNT; i++) {
        if (text_same(name, statuses[i])) {
            *status = (enum inquiry_status)i;
            return true;
        }
    }
    return false;
}

bool inquiry_state_named(const char *name, enum inquiry_state *state)
{
    for (int i = INQUIRY_OPEN; i < STATE_COUNT; i++) {
        if (text_same(name, states[i])) {
            *state = (enum inquiry_state)i;
            return true;
        }
    }
    return false;
}

const char *const *reject_reasons(size_t *count)
{
    *count = REASON_COUNT;
    return reasons;
}

int reject_reason_named(const char *text)
{
    for (int i = 0; i < REASON_COUNT; i++)
        if (text_same(text, reasons[i]))
            return i;
    for (size_t i = 0; i < sizeof(other_spellings) / sizeof(other_spellings[0]); i++)
        if (text_same(text, other_spellings[i].text))
            return other_spellings[i].reason;
    return -1;
}

void inquiry_free(struct inquiry *inquiry)
{
    char *owned[] = {
        inquiry->campaign_name,      inquiry->partner_name, inquiry->partner_sid,
        inquiry->brand_sid,          inquiry->reference,    inquiry->order_id,
        inquiry->tracking_link,      inquiry->customer_id,  inquiry->notes,
        inquiry->resolution_notes,   inquiry->promo_code,   inquiry->partner_assignee_name,
        inquiry->brand_assignee_name
    };
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        free(owned[i]);
    for (size_t i = 0; i < inquiry->comment_count; i++) {
        free(inquiry->comments[i].user);
        free(inquiry->comments[i].text);
    }
    free(inquiry->comments);
    *inquiry = (struct inquiry){ 0 };
}

/* ---- life ---- */

#define FROM(status) (1u << (status))
enum { STATUS_NONE = 0, ANY_STATE = 0 };

static const struct rule {
    unsigned from; /* FROM() of each status allowed */
    int in;        /* the state needed */
    int to;        /* the status after it; STATUS_NONE: stays */
    int leaves;    /* the state after it */
    const char *event;
    const char *only, *can; /* "only <an open inquiry> can be <closed>" */
} rules[] = {
    [STEP_OPEN] = { FROM(STATUS_NONE), ANY_STATE, STATUS_UNRESOLVED, INQUIRY_OPEN,
                    "action_inquiry.opened", "a new inquiry", "opened" },
    [STEP_ACCEPT] = { FROM(STATUS_UNRESOLVED), INQUIRY_OPEN, STATUS_VALID, INQUIRY_OPEN,
                      "action_inquiry.resolved", "an open, unresolved inquiry", "accepted" },
    [STEP_DECLINE] = { FROM(STATUS_UNRESOLVED), INQUIRY_OPEN, STATUS_DECLINED, INQUIRY_OPEN,
                       "action_inquiry.resolved", "an open, unresolved inquiry", "declined" },
    [STEP_ASK] = { FROM(STATUS_UNRESOLVED), INQUIRY_OPEN, STATUS_INCOMPLETE, INQUIRY_OPEN,
                   "action_inquiry.incomplete", "an open, unresolved inquiry",
                   "sent back as incomplete" },
    [STEP_REPLY] = { FROM(STATUS_INCOMPLETE), INQUIRY_OPEN, STATUS_UNRESOLVED, INQUIRY_OPEN,
                     "action_inquiry.replied", "an open, incomplete inquiry", "replied to" },
    [STEP_REOPEN] = { FROM(STATUS_DECLINED), INQUIRY_OPEN, STATUS_UNRESOLVED, INQUIRY_OPEN,
                      "action_inquiry.reopened", "an open, declined inquiry", "reopened" },
    [STEP_CLOSE] = { FROM(STATUS_UNRESOLVED) | FROM(STATUS_VALID) | FROM(STATUS_DECLINED) |
                         FROM(STATUS_INCOMPLETE),
                     INQUIRY_OPEN, STATUS_NONE, INQUIRY_CLOSED, "action_inquiry.closed",
                     "an open inquiry", "closed" },
};

const char *inquiry_step_event(enum inquiry_step step)
{
    return rules[step].event;
}

static bool refused(const struct inquiry *inquiry, const struct rule *rule, struct error *error)
{
    const char *now = inquiry->state == INQUIRY_CLOSED ? inquiry_state_name(inquiry->state)
                                                       : inquiry_status_name(inquiry->status);
    const char *never =
        inquiry->status == STATUS_VALID ? ", and a VALID inquiry never changes" : "";
    error_set(error, ERROR_CONFLICT, "Inquiry %" PRId64 " is %s%s; only %s can be %s", inquiry->id,
              now, inquiry->state == INQUIRY_CLOSED ? "" : never, rule->only, rule->can);
    return false;
}

/* What a step changes besides status and state. */
static void apply(struct inquiry *inquiry, enum inquiry_step step, int64_t now_ms)
{
    switch (step) {
    case STEP_OPEN:
        inquiry->created_at = now_ms;
        break;
    case STEP_ACCEPT:
        inquiry->resolved_at = now_ms;
        if (inquiry->final_payout == MONEY_NONE)
            inquiry->final_payout = inquiry->expected_payout; /* what was asked is granted */
        break;
    case STEP_DECLINE:
        inquiry->resolved_at = now_ms;
        inquiry->auto_approval_at = DATE_NONE; /* no rule may overrule a person's verdict later */
        break;
    case STEP_ASK:
        inquiry->auto_approval_at = DATE_NONE; /* a person has taken it up */
        break;
    case STEP_REOPEN:
        inquiry->reopened = true;
        inquiry->resolved_at = DATE_NONE;
        inquiry->reject_reason = -1;
        inquiry->final_payout = MONEY_NONE;
        break;
    case STEP_CLOSE:
        inquiry->closed_at = now_ms;
        break;
    case STEP_REPLY:
        break;
    }
}

bool inquiry_step(struct inquiry *inquiry, enum inquiry_step step, int64_t now_ms,
                  struct error *error)
{
    const struct rule *rule = &rules[step];
    if ((rule->from & FROM(inquiry->status)) == 0 ||
        (rule->in != ANY_STATE && rule->in != (int)inquiry->state))
        return refused(inquiry, rule, error);
    if (step == STEP_REOPEN && inquiry->reopened) {
        error_set(error, ERROR_CONFLICT,
                  "Inquiry %" PRId64 " was reopened before; an inquiry can be reopened only once",
                  inquiry->id);
        return false;
    }
    if (rule->to != STATUS_NONE)
        inquiry->status = (enum inquiry_status)rule->to;
    inquiry->state = (enum inquiry_state)rule->leaves;
    apply(inquiry, step, now_ms);
    return true;
}
