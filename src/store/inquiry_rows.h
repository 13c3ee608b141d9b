/* inquiry_rows.h — the rows of inquiry and comment, for inquiries.c and inquiry_list.c alone.
 *
 * Nothing here asks who calls: whoever uses it has the account in its own WHERE or was sent by an
 * approval rule.
 */
#ifndef POSTBACKD_INQUIRY_ROWS_H
#define POSTBACKD_INQUIRY_ROWS_H

#include "db/db.h"
#include "model/inquiry.h"

#define INQUIRY_SELECT                                                                             \
    "SELECT i.id, i.partner, i.brand, i.campaign, c.name, p.name, p.sid, b.sid, i.reference, "     \
    "i.order_id, i.transaction_at, i.amount, i.expected_payout, i.final_payout, i.currency, "      \
    "i.type, i.resolution_deadline_at, i.inquiry_at, i.auto_approval_at, i.resolved_at, "          \
    "i.closed_at, i.created_at, i.tracking_link, i.customer_id, i.notes, i.action, i.status, "     \
    "i.state, i.reject_reason, i.resolution_notes, i.promo_code, i.reopened, "                     \
    "i.partner_assignee, i.brand_assignee, pa.name, ba.name, h.status, h.due_at "                  \
    "FROM inquiry i JOIN campaign c ON c.id = i.campaign JOIN account p ON p.id = i.partner "      \
    "JOIN account b ON b.id = i.brand LEFT JOIN held_decision h ON h.inquiry = i.id "              \
    "LEFT JOIN person pa ON pa.id = i.partner_assignee "                                           \
    "LEFT JOIN person ba ON ba.id = i.brand_assignee "

/* The row that an INQUIRY_SELECT stands on; out owns its strings. */
void inquiry_row_read(struct inquiry *out, struct stmt *row);
/* Sets inquiry->id.  False: an inquiry of this partner, campaign, order and type is open. */
bool inquiry_row_insert(struct db *db, struct inquiry *inquiry, int64_t rule);
/* Writes what a step may change.  False as above, or it has taken another step since it was read.
 */
bool inquiry_row_update(struct db *db, struct inquiry *inquiry);
/* Which rule set auto_approval_at; 0: none. */
void inquiry_row_rule(struct db *db, int64_t inquiry, int64_t rule);

void comment_row_insert(struct db *db, int64_t inquiry, int64_t account, const char *user,
                        const char *text);
void comment_append(struct inquiry *inquiry, const char *user, const char *text, int64_t at);
/* One query for `count` inquiries, which must have no comments. */
void comments_load(struct db *db, struct inquiry *inquiries, size_t count);

#endif
