/* inquiry_columns.c — one table of columns for each role, for both ways.
 *
 * The rule: a file that was exported can be imported as it is, so every column of an export is
 * known to the import, though most are not read by it.
 */
#include "api/inquiry_columns.h"

#include <string.h>

static const struct inquiry_column partner_columns[] = {
    { "Inquiry Id", "MediaPartnerInquiryId", "MediaPartnerInquiryId", CSV_TEXT, NULL },
    { "Campaign Id", "CampaignId", "CampaignId", CSV_TEXT, "CampaignName" },
    { "Order Id", "OrderId", "OrderId", CSV_TEXT, "OrderId" },
    { "Sale Amount", "TransactionAmount", "TransactionAmount", CSV_AMOUNT, "TransactionAmount" },
    { "Transaction Date", "TransactionDate", "TransactionDate", CSV_DATE, "TransactionDate" },
    { "Type", "InquiryType", "InquiryType", CSV_TEXT, "InquiryType" },
    { "Expected Payout", "ExpectedPayout", "ExpectedPayout", CSV_AMOUNT, NULL },
    { "Resolution Deadline", "ResolutionDeadlineDate", "ResolutionDeadlineDate", CSV_DATE, NULL },
    { "Customer Id", "CustomerId", "CustomerId", CSV_TEXT, NULL },
    { "Tracking Link", "TrackingLink", "TrackingLink", CSV_TEXT, NULL },
    { "Notes", "InquiryNotes", "InquiryNotes", CSV_TEXT, NULL },
    { "Currency", "Currency", "Currency", CSV_TEXT, NULL },
    { "Inquiry Date", "InquiryDate", "InquiryDate", CSV_DATE, NULL },
    { "Id", NULL, "Id", CSV_TEXT, NULL },
    { "Campaign Name", "CampaignName", "CampaignName", CSV_TEXT, NULL },
    { "State", NULL, "State", CSV_TEXT, NULL },
    { "Resolution Status", NULL, "ResolutionStatus", CSV_TEXT, NULL },
    { "Resolution Reason", NULL, "RejectReason", CSV_TEXT, NULL },
    { "Resolution Notes", NULL, "ResolutionNotes", CSV_TEXT, NULL },
    { "Final Payout", NULL, "FinalPayout", CSV_TEXT, NULL },
    { "Promo Code", NULL, "PromoCode", CSV_TEXT, NULL },
    { "Action Id", NULL, "ActionId", CSV_TEXT, NULL },
    { "Auto Approval Date", NULL, "AutoApprovalDate", CSV_TEXT, NULL },
    { "Resolution Date", NULL, "ResolutionDate", CSV_TEXT, NULL },
    { "Closed Date", NULL, "ClosedDate", CSV_TEXT, NULL },
    { "Creation Date", NULL, "CreationDate", CSV_TEXT, NULL },
};

/* Action Tracker is for the brand to fill in; Customer Id too: its own, not the partner's. */
static const struct inquiry_column brand_columns[] = {
    { "Id", "Id", "Id", CSV_TEXT, "Id" },
    { "Transaction Date", "TransactionDate", "TransactionDate", CSV_DATE, NULL },
    { "Resolution Status", "ResolutionStatus", "ResolutionStatus", CSV_TEXT, "ResolutionStatus" },
    { "Resolution Reason", "RejectReason", "RejectReason", CSV_TEXT, NULL },
    { "Action Tracker", "ActionTrackerId", NULL, CSV_TEXT, NULL },
    { "Final Payout", "FinalPayout", "FinalPayout", CSV_AMOUNT, NULL },
    { "Resolution Notes", "ResolutionNotes", "ResolutionNotes", CSV_TEXT, NULL },
    { "Sale Amount", "TransactionAmount", "TransactionAmount", CSV_AMOUNT, NULL },
    { "Customer Id", "CustomerId", NULL, CSV_TEXT, NULL },
    { "Promo Code", "PromoCode", "PromoCode", CSV_TEXT, NULL },
    { "Campaign Id", NULL, "CampaignId", CSV_TEXT, NULL },
    { "Campaign Name", NULL, "CampaignName", CSV_TEXT, NULL },
    { "Partner Id", NULL, "MediaPartnerId", CSV_TEXT, NULL },
    { "Partner Name", NULL, "MediaPartnerName", CSV_TEXT, NULL },
    { "Order Id", NULL, "OrderId", CSV_TEXT, NULL },
    { "Currency", NULL, "Currency", CSV_TEXT, NULL },
    { "Type", NULL, "InquiryType", CSV_TEXT, NULL },
    { "Expected Payout", NULL, "ExpectedPayout", CSV_TEXT, NULL },
    { "Resolution Deadline", NULL, "ResolutionDeadlineDate", CSV_TEXT, NULL },
    { "Tracking Link", NULL, "TrackingLink", CSV_TEXT, NULL },
    { "State", NULL, "State", CSV_TEXT, NULL },
    { "Action Id", NULL, "ActionId", CSV_TEXT, NULL },
    { "Auto Approval Date", NULL, "AutoApprovalDate", CSV_TEXT, NULL },
    { "Resolution Date", NULL, "ResolutionDate", CSV_TEXT, NULL },
    { "Closed Date", NULL, "ClosedDate", CSV_TEXT, NULL },
    { "Creation Date", NULL, "CreationDate", CSV_TEXT, NULL },
};

const struct inquiry_column *inquiry_columns(enum account_kind kind, size_t *count)
{
    if (kind == ACCOUNT_BRAND) {
        *count = sizeof(brand_columns) / sizeof(brand_columns[0]);
        return brand_columns;
    }
    *count = sizeof(partner_columns) / sizeof(partner_columns[0]);
    return partner_columns;
}

size_t inquiry_csv_columns(enum account_kind kind, struct csv_column out[CSV_COLUMNS_MAX])
{
    size_t count;
    const struct inquiry_column *columns = inquiry_columns(kind, &count);
    for (size_t i = 0; i < count; i++)
        out[i] = (struct csv_column){ columns[i].title, columns[i].field, columns[i].kind,
                                      columns[i].needed };
    return count;
}

static const char *title_of(enum account_kind kind, const char *field)
{
    size_t count;
    const struct inquiry_column *columns = inquiry_columns(kind, &count);
    for (size_t i = 0; i < count; i++)
        if (columns[i].field != NULL && strcmp(columns[i].field, field) == 0)
            return columns[i].title;
    return field;
}

static const char *partner_title(const char *field)
{
    return title_of(ACCOUNT_PARTNER, field);
}

static const char *brand_title(const char *field)
{
    return title_of(ACCOUNT_BRAND, field);
}

const char *(*inquiry_titles(enum account_kind kind))(const char *field)
{
    return kind == ACCOUNT_BRAND ? brand_title : partner_title;
}
