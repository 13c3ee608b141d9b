/* inquiry.h — an action inquiry: its fields, its life, and how it is shown.
 *
 * Two independent facts: the resolution status is the brand's verdict, the state is whether the
 * partner still has it open.  inquiry_step() holds the one table of what may follow what.
 */
#ifndef POSTBACKD_INQUIRY_H
#define POSTBACKD_INQUIRY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/problem.h"
#include "model/date.h"
#include "model/money.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum inquiry_type { INQUIRY_UNTRACKED = 1, INQUIRY_INCORRECT = 2, INQUIRY_DECLINED_TYPE = 3 };
enum inquiry_status {
    STATUS_UNRESOLVED = 1,
    STATUS_VALID = 2,
    STATUS_DECLINED = 3,
    STATUS_INCOMPLETE = 4
};
enum inquiry_state { INQUIRY_OPEN = 1, INQUIRY_CLOSED = 2 };

/* What someone does to an inquiry. */
enum inquiry_step {
    STEP_OPEN,    /* partner */
    STEP_ACCEPT,  /* brand, or a rule: VALID */
    STEP_DECLINE, /* brand */
    STEP_ASK,     /* brand: INCOMPLETE */
    STEP_REPLY,   /* partner: a comment on an INCOMPLETE one */
    STEP_REOPEN,  /* partner: once, a DECLINED one, with a comment */
    STEP_CLOSE,   /* partner */
};

struct comment {
    char *user, *text;
    int64_t at;
};

struct inquiry { /* strings are owned; NULL or "": empty */
    int64_t id;
    int64_t partner, brand, campaign; /* account ids; campaign id */
    char *campaign_name, *partner_name;
    char *partner_sid, *brand_sid;
    char *reference; /* MediaPartnerInquiryId: the partner's own */
    char *order_id;
    int64_t transaction_at;                        /* ms */
    int64_t amount, expected_payout, final_payout; /* minor units, or MONEY_NONE */
    char currency[4];
    enum inquiry_type type;
    int64_t resolution_deadline_at, inquiry_at, auto_approval_at, resolved_at, closed_at,
        created_at; /* ms, or DATE_NONE */
    char *tracking_link, *customer_id, *notes;
    int64_t action; /* 0: none */
    enum inquiry_status status;
    enum inquiry_state state;
    enum inquiry_status status_read; /* as they stand on disk: a step is written over these only */
    enum inquiry_state state_read;
    int reject_reason; /* index of reject_reasons(); -1: none */
    char *resolution_notes, *promo_code;
    bool reopened;                            /* once is all */
    int64_t partner_assignee, brand_assignee; /* a person of either side; 0: nobody */
    char *partner_assignee_name, *brand_assignee_name;
    enum inquiry_status
        held_status;    /* what a decision that can still be taken back makes it; or 0 */
    int64_t held_until; /* DATE_NONE */
    struct comment *comments;
    size_t comment_count;
};

/* Characters; what is longer is refused. */
enum {
    REFERENCE_MAX = 100,
    ORDER_ID_MAX = 200,
    CUSTOMER_ID_MAX = 200,
    PROMO_CODE_MAX = 200,
    TRACKING_LINK_MAX = 2000,
    NOTES_MAX = 4000,
    COMMENT_MAX = 4000,
};

void inquiry_free(struct inquiry *inquiry); /* what it owns; back to all zeroes */

const char *inquiry_type_name(enum inquiry_type type);              /* UNTRACKED … */
const char *inquiry_status_name(enum inquiry_status status);        /* UNRESOLVED … */
const char *inquiry_state_name(enum inquiry_state state);           /* OPEN CLOSED */
bool inquiry_type_named(const char *name, enum inquiry_type *type); /* also the UI's words */
bool inquiry_status_named(const char *name, enum inquiry_status *status);
bool inquiry_state_named(const char *name, enum inquiry_state *state);
const char *const *reject_reasons(size_t *count);
int reject_reason_named(const char *text); /* -1: unknown; both spellings of the second and third */

/* The event that a step fires. */
const char *inquiry_step_event(enum inquiry_step step);

/* Checks the step against the table and applies it (status, state, resolved_at, …).  False with a
 * reason (ERROR_CONFLICT) when refused: the inquiry is then unchanged. */
bool inquiry_step(struct inquiry *inquiry, enum inquiry_step step, int64_t now_ms,
                  struct error *error);

/* Reads the fields of a new inquiry from a flat JSON object (form, JSON or a CSV row already under
 * the API's names) over whatever *inquiry held (nothing of that is freed).  Sets no ids but
 * campaign; status and state stay 0 until STEP_OPEN.  Currency must be there: who lets it be left
 * out puts the campaign's in first.  Unknown members are problems.  `label` maps a field to the
 * name the client knows (CSV column); NULL: the API's own. */
void inquiry_read(struct inquiry *inquiry, const json_t *from, const char *(*label)(const char *),
                  int64_t now_ms, struct problems *problems);

/* The text of {"Comment": …}, owned by the caller; NULL with problems. */
char *comment_read(const json_t *from, struct problems *problems);

/* A brand's decision, read from PUT fields or a CSV row.  Empty values mean "stays as it is". */
struct resolution {
    int64_t id;
    enum inquiry_step step; /* STEP_ACCEPT, STEP_DECLINE or STEP_ASK */
    int64_t tracker;        /* ActionTrackerId; 0: none */
    int reject_reason;      /* -1: none */
    char *notes, *promo_code, *customer_id, *amount, *final_payout; /* NULL: stays as it is */
    int64_t transaction_at;                                         /* DATE_NONE: stays */
    json_t *items;        /* [{"Sku","Name","Category","SubCategory","Mpn","Quantity","Amount",
                             "Discount"}…], of each what was given, from ItemSku1…; NULL: none */
    json_t *item_amounts; /* the items' amounts by the client's names, to be checked; or NULL */
    const char *(*label)(const char *); /* as given to resolution_read() */
};
void resolution_read(struct resolution *resolution, const json_t *from,
                     const char *(*label)(const char *), struct problems *problems);
void resolution_free(struct resolution *resolution);
/* Applies fields and the step.  Amounts are read in the inquiry's currency.  False with problems
 * or *error: the inquiry is then unchanged. */
bool resolution_apply(const struct resolution *resolution, struct inquiry *inquiry, int64_t now_ms,
                      struct problems *problems, struct error *error);

/* The API's object, every scalar a string, empty values "".  The brand's view leaves out
 * MediaPartnerInquiryId, CustomerId, InquiryDate and InquiryNotes, and has the partner's name. */
json_t *inquiry_show(const struct inquiry *inquiry, bool for_brand);

/* The data of an event about it (canonical text, the catalog's order), in that account's view. */
void inquiry_event_data(const struct inquiry *inquiry, bool for_brand, struct buf *out);

#endif
