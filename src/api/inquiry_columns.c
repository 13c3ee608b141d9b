/* inquiry_columns.c — one table of columns for each role, for both ways.
 *
 * The rule: a file that was exported can be imported as it is, so every column of an export is
 * known to the import, though most are not read by it.
 */
#include "api/inquiry_columns.h"

#include <string.h>

static const struct inquiry_column partner_columns[] = {
    { "Inquiry Id", "MediaPartnerInquiryId", "MediaPartnerInquiryId" },
    { "Campaign Id", "CampaignId", "CampaignId" },
    { "Order Id", "OrderId", "OrderId" },
    { "Sale Amount", "TransactionAmount", "TransactionAmount" },
    { "Transaction Date", "TransactionDate", "TransactionDate" },
    { "Type", "InquiryType", "InquiryType" },
    { "Expected Payout", "ExpectedPayout", "ExpectedPayout" },
    { "Resolution Deadline", "ResolutionDeadlineDate", "ResolutionDeadlineDate" },
    { "Customer Id", "CustomerId", "CustomerId" },
    { "Tracking Link", "TrackingLink", "TrackingLink" },
    { "Notes", "InquiryNotes", "InquiryNotes" },
    { "Currency", "Currency", "Currency" },
    { "Inquiry Date", "InquiryDate", "InquiryDate" },
    { "Id", NULL, "Id" },
    { "Campaign Name", NULL, "CampaignName" },
    { "State", NULL, "State" },
    { "Resolution Status", NULL, "ResolutionStatus" },
    { "Resolution Reason", NULL, "RejectReason" },
    { "Resolution Notes", NULL, "ResolutionNotes" },
    { "Final Payout", NULL, "FinalPayout" },
    { "Promo Code", NULL, "PromoCode" },
    { "Action Id", NULL, "ActionId" },
    { "Auto Approval Date", NULL, "AutoApprovalDate" },
    { "Resolution Date", NULL, "ResolutionDate" },
    { "Closed Date", NULL, "ClosedDate" },
    { "Creation Date", NULL, "CreationDate" },
};

/* Action Tracker is for the brand to fill in; Customer Id too: its own, not the partner's. */
static const struct inquiry_column brand_columns[] = {
    { "Id", "Id", "Id" },
    { "Transaction Date", "TransactionDate", "TransactionDate" },
    { "Resolution Status", "ResolutionStatus", "ResolutionStatus" },
    { "Resolution Reason", "RejectReason", "RejectReason" },
    { "Action Tracker", "ActionTrackerId", NULL },
    { "Final Payout", "FinalPayout", "FinalPayout" },
    { "Resolution Notes", "ResolutionNotes", "ResolutionNotes" },
    { "Sale Amount", "TransactionAmount", "TransactionAmount" },
    { "Customer Id", "CustomerId", NULL },
    { "Promo Code", "PromoCode", "PromoCode" },
    { "Campaign Id", NULL, "CampaignId" },
    { "Campaign Name", NULL, "CampaignName" },
    { "Partner Id", NULL, "MediaPartnerId" },
    { "Partner Name", NULL, "MediaPartnerName" },
    { "Order Id", NULL, "OrderId" },
    { "Currency", NULL, "Currency" },
    { "Type", NULL, "InquiryType" },
    { "Expected Payout", NULL, "ExpectedPayout" },
    { "Resolution Deadline", NULL, "ResolutionDeadlineDate" },
    { "Tracking Link", NULL, "TrackingLink" },
    { "State", NULL, "State" },
    { "Action Id", NULL, "ActionId" },
    { "Auto Approval Date", NULL, "AutoApprovalDate" },
    { "Resolution Date", NULL, "ResolutionDate" },
    { "Closed Date", NULL, "ClosedDate" },
    { "Creation Date", NULL, "CreationDate" },
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
        out[i] = (struct csv_column){ columns[i].title, columns[i].field };
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
