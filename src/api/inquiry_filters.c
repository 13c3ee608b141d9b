/* inquiry_filters.c — the query of an inquiry list as a filter.
 *
 * Each role has its own list of names: a brand may not search by what it may not see.  An unknown
 * name is refused, since a filter that is silently ignored answers another question.
 *
 * The end of a span is inclusive: a day means the whole day, a time to the second the whole
 * second, because dates are shown to the second and may be sent back as they were shown.
 *
 * A brand has to name a campaign, as its clients always did; CampaignId=ALL names all of its own.
 */
#include "api/inquiries.h"

#include "api/body.h"

#include <string.h>

/* What only a paged list knows comes last, from Page on. */
static const char *const partner_names[] = { "CampaignId",
                                             "OrderId",
                                             "ResolutionStatus",
                                             "State",
                                             "StartDate",
                                             "EndDate",
                                             "TransactionDateStart",
                                             "TransactionDateEnd",
                                             "MediaPartnerInquiryId",
                                             "CustomerId",
                                             "InquiryType",
                                             "Search",
                                             "AssigneeId",
                                             "Page",
                                             "PageSize",
                                             "Sort",
                                             NULL };
static const char *const brand_names[] = { "CampaignId",
                                           "OrderId",
                                           "ResolutionStatus",
                                           "State",
                                           "StartDate",
                                           "EndDate",
                                           "TransactionDateStart",
                                           "TransactionDateEnd",
                                           "MediaPartnerId",
                                           "InquiryType",
                                           "Search",
                                           "AssigneeId",
                                           "Held",
                                           "Page",
                                           "PageSize",
                                           "Sort",
                                           NULL };

static void read_names(const struct call *call, bool brand, bool paged, struct problems *problems)
{
    const char *names[24];
    const char *const *all = brand ? brand_names : partner_names;
    size_t count = 0;
    for (; *all != NULL && (paged || strcmp(*all, "Page") != 0); all++)
        names[count++] = *all;
    names[count] = NULL;
    call_query_only(call, names, problems);
}

static const char *read_text(const struct call *call, const char *name)
{
    const char *text = call_query(call, name);
    return text[0] != '\0' ? text : NULL;
}

static void read_words(const struct call *call, struct inquiry_filter *filter,
                       struct problems *problems)
{
    const char *status = call_query(call, "ResolutionStatus"), *state = call_query(call, "State"),
               *type = call_query(call, "InquiryType");
    if (status[0] != '\0' && !inquiry_status_named(status, &filter->status))
        problems_add(problems, "ResolutionStatus",
                     "must be UNRESOLVED, VALID, DECLINED or INCOMPLETE");
    if (state[0] != '\0' && !inquiry_state_named(state, &filter->state))
        problems_add(problems, "State", "must be OPEN or CLOSED");
    if (type[0] != '\0' && !inquiry_type_named(type, &filter->type))
        problems_add(problems, "InquiryType", "must be UNTRACKED, INCORRECT or DECLINED");
}

static void read_held(const struct call *call, struct inquiry_filter *filter,
                      struct problems *problems)
{
    const char *held = call_query(call, "Held");
    if (strcmp(held, "YES") == 0)
        filter->held = HELD_YES;
    else if (strcmp(held, "NO") == 0)
        filter->held = HELD_NO;
    else if (held[0] != '\0')
        problems_add(problems, "Held", "must be YES or NO");
}

/* "Name", or "-Name" for the greatest first. */
static void read_sort(const struct call *call, bool brand, struct inquiry_filter *filter,
                      struct problems *problems)
{
    const char *sort = call_query(call, "Sort");
    struct buf names = { 0 };
    if (sort[0] == '\0')
        return;
    filter->rising = sort[0] != '-';
    filter->order = inquiry_order_named(filter->rising ? sort : sort + 1, brand);
    if (filter->order != NULL)
        return;
    inquiry_order_names(&names, brand);
    problems_add(problems, "Sort",
                 "must be one of these, with - before it for the greatest first: %s",
                 buf_text(&names));
    buf_free(&names);
}

static void read_campaign(const struct call *call, bool brand, struct inquiry_filter *filter,
                          struct problems *problems)
{
    const char *campaign = call_query(call, "CampaignId");
    if (brand && campaign[0] == '\0')
        problems_add(problems, "CampaignId", "is required: the number of your campaign, or ALL");
    if (!brand || strcmp(campaign, "ALL") != 0)
        filter->campaign = query_id(call, "CampaignId", problems);
}

void inquiry_filter_read(const struct call *call, bool paged, struct inquiry_filter *filter,
                         struct problems *problems)
{
    bool brand = call->caller.kind == ACCOUNT_BRAND;
    *filter = (struct inquiry_filter){ .page = 1 };
    read_names(call, brand, paged, problems);
    read_campaign(call, brand, filter, problems);
    filter->order_id = read_text(call, "OrderId");
    filter->search = read_text(call, "Search");
    if (brand) {
        filter->partner = query_id(call, "MediaPartnerId", problems);
        read_held(call, filter, problems);
    } else {
        filter->reference = read_text(call, "MediaPartnerInquiryId");
        filter->customer_id = read_text(call, "CustomerId");
    }
    filter->assignee = query_id(call, "AssigneeId", problems);
    read_words(call, filter, problems);
    read_sort(call, brand, filter, problems);
    span_read(call, "StartDate", "EndDate", &filter->created_from, &filter->created_until,
              problems);
    span_read(call, "TransactionDateStart", "TransactionDateEnd", &filter->transaction_from,
              &filter->transaction_until, problems);
}
