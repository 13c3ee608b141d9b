/* catalog.c — the one table of event types and their data points.
 *
 * Types of one noun share one array of points, so that a template compiled for "opened" holds the
 * same point as one compiled for "closed".  The order of an array is the order of the members in
 * an event's canonical data; a new point may be put anywhere, none may be taken out.
 *
 * An added type's place is its number.  A place is written by one thread and read by all, so it is
 * stored and loaded atomically, with the entry whole before it is stored; entries are never freed.
 *
 * Never: give a number of a type to another one.  Numbers are in every event on disk.
 */
#include "model/catalog.h"

#include "base/fail.h"

#include <stdatomic.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    ACTION_INQUIRY,
    ACTION_LIFECYCLE,
    ACTION_CLEARING,
    TRACKING_VALUE,
    JOB,
    PRODUCT_DATA,
    SYSTEM,
    PLATFORM
};

static const struct category categories[] = {
    [ACTION_INQUIRY] = { "Action Inquiry Events", "action_inquiry" },
    [ACTION_LIFECYCLE] = { "Action Lifecycle Events", "action_lifecycle" },
    [ACTION_CLEARING] = { "Action Clearing Events", "action_clearing" },
    [TRACKING_VALUE] = { "Tracking Value Request Events", "tracking_value_request" },
    [JOB] = { "Job Completion Events", "job_completion" },
    [PRODUCT_DATA] = { "Product Data Change Events", "product_data_change" },
    [SYSTEM] = { "System Events", "system" },
    [PLATFORM] = { "Platform Events", "platform" },
};

/* EventId and PostbackId are text: they pass 2^53, where many readers of JSON lose digits. */
static const struct data_point common[] = {
    { "EventId", POINT_TEXT, "The event's id, the same for every notification that gets it",
      "914793674309632001", false },
    { "EventType", POINT_ENUM, "The event's type", "action_inquiry.opened", false },
    { "EventTime", POINT_DATE, "When it happened", "2026-11-23T18:40:17.123+00:00", false },
    { "AccountSid", POINT_TEXT, "The account whose event it is", "PA4fGh7Jk2mNp9QrStVwXyZa",
      false },
    { "PostbackId", POINT_TEXT, "The postback's id, the same on every try; also sent as webhook-id",
      "914793674309632002", false },
    { "Attempt", POINT_INTEGER, "Which try this is, from 1", "1", false },
};

static const struct data_point inquiry_points[] = {
    { "InquiryId", POINT_INTEGER, "The inquiry's id", "1042", false },
    { "MediaPartnerInquiryId", POINT_TEXT, "The partner's own reference for it", "INQ20261123",
      false },
    { "CampaignId", POINT_INTEGER, "The campaign of the order", "1000", false },
    { "CampaignName", POINT_TEXT, "The campaign's name", "Acme Outdoor", false },
    { "MediaPartnerId", POINT_TEXT, "The partner who asks", "10078", false },
    { "MediaPartnerName", POINT_TEXT, "The partner's name", "Trail Deals & More", false },
    { "OrderId", POINT_TEXT, "The order in question", "ORD-20417", false },
    { "TransactionDate", POINT_DATE, "When the order was placed", "2026-11-20T09:15:00+00:00",
      false },
    { "TransactionAmount", POINT_MONEY, "What the order came to", "129.90", false },
    { "Currency", POINT_ENUM, "The currency of its amounts, as in ISO 4217", "EUR", false },
    { "InquiryType", POINT_ENUM, "UNTRACKED, INCORRECT or DECLINED", "UNTRACKED", false },
    { "ExpectedPayout", POINT_MONEY, "The payout that the partner expects", "6.50", false },
    { "ResolutionDeadlineDate", POINT_DATE, "Until when the partner asks for an answer",
      "2026-12-20T00:00:00+00:00", false },
    { "TrackingLink", POINT_URL, "The link that the customer followed",
      "https://acme.example/c/10078/1000?subId1=abc", false },
    { "CustomerId", POINT_TEXT, "The customer, as the partner knows them", "C-5521", false },
    { "InquiryDate", POINT_DATE, "When the customer asked the partner", "2026-11-22T12:00:00+00:00",
      false },
    { "InquiryNotes", POINT_TEXT, "The partner's notes", "The order is not in my report.", false },
    { "Comments", POINT_LIST, "What both sides wrote, oldest first",
      "[{\"User\":\"Dana Reyes\",\"Comment\":\"Please check.\",\"Date\":"
      "\"2026-11-23T18:40:17+00:00\"}]",
      false },
    { "ActionId", POINT_TEXT, "The action it is about, or that accepting it made",
      "1000.5120.88231", false },
    { "ActionUri", POINT_URL, "The action in the API",
      "/Mediapartners/PA4fGh7Jk2mNp9QrStVwXyZa/Actions/1000.5120.88231", false },
    { "AutoApprovalDate", POINT_DATE, "When an approval rule will accept it",
      "2026-11-30T00:00:00+00:00", false },
    { "ResolutionStatus", POINT_ENUM, "UNRESOLVED, VALID, DECLINED or INCOMPLETE", "DECLINED",
      false },
    { "RejectReason", POINT_TEXT, "Why the brand declined it", "Transaction cannot be traced",
      false },
    { "FinalPayout", POINT_MONEY, "The payout that the brand granted", "6.50", false },
    { "ResolutionDate", POINT_DATE, "When the brand decided", "2026-11-25T08:30:00+00:00", false },
    { "CreationDate", POINT_DATE, "When the inquiry was opened", "2026-11-23T18:40:17+00:00",
      false },
    { "Uri", POINT_URL, "The inquiry in the API",
      "/Mediapartners/PA4fGh7Jk2mNp9QrStVwXyZa/ActionInquiries/1042", false },
    { "State", POINT_ENUM, "OPEN or CLOSED", "OPEN", false },
    { "ClosedDate", POINT_DATE, "When the partner closed it", "2026-11-26T10:00:00+00:00", false },
    { "ResolutionNotes", POINT_TEXT, "What the brand wrote about its decision",
      "Paid with a gift card", false },
    { "PromoCode", POINT_TEXT, "The promo code of the order, as the brand gave it", "TRAIL10",
      false },
    { "MediaPartnerSid", POINT_TEXT, "The SID of the partner's account", "PA4fGh7Jk2mNp9QrStVwXyZa",
      true },
    { "AdvertiserSid", POINT_TEXT, "The SID of the brand's account", "BR8sTu2Vw5xYz7AbCdEfGhJk",
      true },
    { "Reopened", POINT_ENUM, "Whether the partner reopened it once: true or false", "false",
      true },
};

static const struct data_point action_points[] = {
    { "CampaignId", POINT_INTEGER, "The campaign", "1000", false },
    { "CampaignName", POINT_TEXT, "The campaign's name", "Acme Outdoor", false },
    { "ActionTrackerId", POINT_INTEGER, "The action tracker (event type) that counted it", "5120",
      false },
    { "ActionTrackerName", POINT_TEXT, "The action tracker's name", "Online Sale", false },
    { "MediaPartnerId", POINT_TEXT, "The partner it is credited to", "10078", false },
    { "MediaPartnerName", POINT_TEXT, "The partner's name", "Trail Deals & More", false },
    { "ActionType", POINT_ENUM, "SALE, LEAD, …", "SALE", false },
    { "ReferringType", POINT_ENUM, "What led to it: ACTION_INQUIRY or DATAPOST", "DATAPOST",
      false },
    { "ActionId", POINT_TEXT, "The action's id", "1000.5120.88231", false },
    { "Oid", POINT_TEXT, "The brand's order id", "ORD-20417", false },
    { "Status", POINT_ENUM, "PENDING, APPROVED or REVERSED", "PENDING", false },
    { "StatusDetail", POINT_TEXT, "Why it has this status", "ITEM_RETURNED", false },
    { "AdId", POINT_INTEGER, "The ad that the customer followed", "88412", false },
    { "Payout", POINT_MONEY, "What the partner earns", "6.50", false },
    { "DeltaPayout", POINT_MONEY, "By how much this event changed the payout", "-1.20", false },
    { "IntendedPayout", POINT_MONEY, "The payout before any change", "7.70", false },
    { "Amount", POINT_MONEY, "What the order came to", "129.90", false },
    { "DeltaAmount", POINT_MONEY, "By how much this event changed the amount", "-24.00", false },
    { "IntendedAmount", POINT_MONEY, "The amount before any change", "153.90", false },
    { "Currency", POINT_ENUM, "The currency of its amounts, as in ISO 4217", "EUR", false },
    { "OriginalCurrency", POINT_ENUM, "The currency in which the customer paid", "GBP", false },
    { "OriginalAmount", POINT_MONEY, "What the customer paid, in that currency", "111.20", false },
    { "EventDate", POINT_DATE, "When the customer acted", "2026-11-20T09:15:00+00:00", false },
    { "CreationDate", POINT_DATE, "When the action was made", "2026-11-20T09:15:03+00:00", false },
    { "LockingDate", POINT_DATE, "When it can no longer be changed", "2026-12-31T23:59:59+00:00",
      false },
    { "ClearedDate", POINT_DATE, "When its payout was cleared", "2027-01-15T00:00:00+00:00",
      false },
    { "ReferringDate", POINT_DATE, "When the customer followed the link",
      "2026-11-20T09:02:41+00:00", false },
    { "CustomerId", POINT_TEXT, "The customer, as the brand knows them", "C-5521", false },
    { "PromoCode", POINT_TEXT, "The promo code used", "TRAIL10", false },
    { "SubId1", POINT_TEXT, "The partner's own first value", "newsletter", false },
    { "SubId2", POINT_TEXT, "The partner's own second value", "week47", false },
    { "SubId3", POINT_TEXT, "The partner's own third value", "button-2", false },
    { "SharedId", POINT_TEXT, "A value that partner and brand share", "spring-set", false },
    { "LandingPageUrl", POINT_URL, "Where the customer arrived",
      "https://acme.example/boots?colour=red", false },
    { "Items", POINT_LIST, "What was bought",
      "[{\"Sku\":\"BT-204\",\"Category\":\"Boots\",\"Quantity\":\"1\",\"Amount\":\"129.90\"}]",
      false },
    { "InquiryId", POINT_INTEGER, "The action inquiry that led to it", "1042", true },
};

static const struct data_point tracking_value_points[] = {
    { "TrackingValueRequestId", POINT_INTEGER, "The request's id", "3310", false },
    { "CampaignId", POINT_INTEGER, "The campaign", "1000", false },
    { "CampaignName", POINT_TEXT, "The campaign's name", "Acme Outdoor", false },
    { "MediaPartnerId", POINT_TEXT, "The partner who needs the value", "10078", false },
    { "MediaPartnerName", POINT_TEXT, "The partner's name", "Trail Deals & More", false },
    { "ValueType", POINT_ENUM, "PROMO_CODE, PHONE_NUMBER, VANITY_LINK, …", "PROMO_CODE", false },
    { "Quantity", POINT_INTEGER, "How many values are asked for", "1", false },
    { "RequestNotes", POINT_TEXT, "What the one who asks wrote", "For the spring mailing", false },
    { "Status", POINT_ENUM, "OPEN, FULFILLED or DECLINED", "OPEN", false },
    { "CreationDate", POINT_DATE, "When it was asked for", "2026-11-23T18:40:17+00:00", false },
    { "Uri", POINT_URL, "The request in the API", "/TrackingValueRequests/3310", false },
};

static const struct data_point job_points[] = {
    { "JobId", POINT_TEXT, "The job's id", "1207", false },
    { "JobType", POINT_ENUM, "What kind of job it was", "ACTION_EXPORT", false },
    { "JobName", POINT_TEXT, "The job's name", "Actions of November", false },
    { "Status", POINT_ENUM, "COMPLETED, ERROR, FAILED or CANCELLED", "COMPLETED", false },
    { "StatusDetail", POINT_TEXT, "Why it has this status", "18250 records were written", false },
    { "RecordCount", POINT_INTEGER, "Rows done", "18250", false },
    { "ErrorCount", POINT_INTEGER, "Rows that failed", "0", false },
    { "ResultUri", POINT_URL, "Where the result is",
      "/Mediapartners/PA4fGh7Jk2mNp9QrStVwXyZa/Jobs/1207/Download", false },
    { "CreationDate", POINT_DATE, "When it was asked for", "2026-11-23T18:40:17+00:00", false },
    { "StartedDate", POINT_DATE, "When it began", "2026-11-23T18:40:20+00:00", false },
    { "CompletedDate", POINT_DATE, "When it ended", "2026-11-23T18:44:02+00:00", false },
};

static const struct data_point product_points[] = {
    { "CatalogId", POINT_INTEGER, "The product catalog's id", "4410", false },
    { "CatalogName", POINT_TEXT, "The product catalog's name", "Acme Outdoor EU", false },
    { "CampaignId", POINT_INTEGER, "The campaign", "1000", false },
    { "CampaignName", POINT_TEXT, "The campaign's name", "Acme Outdoor", false },
    { "ChangeType", POINT_ENUM, "FULL or PARTIAL", "PARTIAL", false },
    { "ItemsAdded", POINT_INTEGER, "Items that are new", "12", false },
    { "ItemsChanged", POINT_INTEGER, "Items with a new price, stock, text, …", "340", false },
    { "ItemsRemoved", POINT_INTEGER, "Items that are gone", "3", false },
    { "Items", POINT_LIST, "The items that changed, when they are few",
      "[{\"Sku\":\"BT-204\",\"Change\":\"PRICE\",\"Price\":\"119.90\"}]", false },
    { "ChangedDate", POINT_DATE, "When the data changed", "2026-11-23T18:40:17+00:00", false },
    { "Uri", POINT_URL, "The catalog in the API", "/Catalogs/4410", false },
};

static const struct data_point maintenance_points[] = {
    { "Message", POINT_TEXT, "What the operator says about it", "Moving to a larger machine",
      false },
    { "StartDate", POINT_DATE, "When postbacks were paused", "2026-11-23T22:00:00+00:00", false },
    { "ExpectedEndDate", POINT_DATE, "When they are expected to go on", "2026-11-23T23:00:00+00:00",
      false },
    { "EndDate", POINT_DATE, "When they went on", "2026-11-23T22:48:11+00:00", false },
    { "PendingPostbacks", POINT_INTEGER, "The account's postbacks that waited meanwhile", "1280",
      false },
};

static const struct data_point notification_points[] = {
    { "NotificationId", POINT_INTEGER, "The event notification it is about", "73", false },
    { "NotificationName", POINT_TEXT, "Its name", "Inquiries to the warehouse", false },
    { "Destination", POINT_TEXT, "Scheme, host and port of its URL", "https://hooks.example:443",
      false },
    { "Reason", POINT_TEXT, "What goes wrong", "status 503", false },
    { "LastStatus", POINT_INTEGER, "The last HTTP status answered", "503", false },
    { "SinceDate", POINT_DATE, "Since when", "2026-11-23T17:12:40+00:00", false },
    { "PendingPostbacks", POINT_INTEGER, "How many postbacks wait", "412", false },
    { "OldestPendingDate", POINT_DATE, "When the oldest of them happened",
      "2026-11-23T17:12:39+00:00", false },
};

/* A built-in type is never deleted. */
#define POINTS(array) array, COUNT(array), false

static const struct event_type types[] = {
    { 1, "action_inquiry.opened", &categories[ACTION_INQUIRY], true, "A partner opened an inquiry",
      POINTS(inquiry_points) },
    { 2, "action_inquiry.resolved", &categories[ACTION_INQUIRY], true,
      "A brand accepted or declined an inquiry", POINTS(inquiry_points) },
    { 3, "action_inquiry.closed", &categories[ACTION_INQUIRY], true, "A partner closed an inquiry",
      POINTS(inquiry_points) },
    { 4, "action_inquiry.incomplete", &categories[ACTION_INQUIRY], false,
      "A brand asked for more information", POINTS(inquiry_points) },
    { 5, "action_inquiry.replied", &categories[ACTION_INQUIRY], false,
      "A partner gave the information asked for", POINTS(inquiry_points) },
    { 6, "action_inquiry.reopened", &categories[ACTION_INQUIRY], false,
      "A partner reopened a declined inquiry", POINTS(inquiry_points) },
    { 20, "action.tracked", &categories[ACTION_LIFECYCLE], true, "An action was credited",
      POINTS(action_points) },
    { 21, "action.modified", &categories[ACTION_LIFECYCLE], true,
      "An action's amount or payout changed", POINTS(action_points) },
    { 22, "action.reversed", &categories[ACTION_LIFECYCLE], true, "An action was taken back",
      POINTS(action_points) },
    { 30, "action.cleared", &categories[ACTION_CLEARING], true, "An action's payout was cleared",
      POINTS(action_points) },
    { 40, "tracking_value_request.created", &categories[TRACKING_VALUE], true,
      "A tracking value was asked for", POINTS(tracking_value_points) },
    { 50, "job.completed", &categories[JOB], true, "A job ended", POINTS(job_points) },
    { 60, "product_data.changed", &categories[PRODUCT_DATA], true,
      "The data of a product catalog changed", POINTS(product_points) },
    { 70, "system.maintenance_started", &categories[SYSTEM], true,
      "The operator paused all postbacks", POINTS(maintenance_points) },
    { 71, "system.maintenance_ended", &categories[SYSTEM], true,
      "Postbacks go out again; what waited is on its way", POINTS(maintenance_points) },
    { 80, "notification.failing", &categories[SYSTEM], true,
      "The receiver of an event notification is down", POINTS(notification_points) },
    { 81, "notification.recovered", &categories[SYSTEM], true,
      "The receiver of an event notification is back", POINTS(notification_points) },
    { 82, "notification.late", &categories[SYSTEM], true,
      "Postbacks of an event notification are an hour late", POINTS(notification_points) },
};

const struct category *catalog_categories(size_t *count)
{
    *count = COUNT(categories);
    return categories;
}

const struct category *catalog_category(const char *name_or_key)
{
    for (size_t i = 0; i < COUNT(categories); i++)
        if (strcmp(categories[i].name, name_or_key) == 0 ||
            strcmp(categories[i].key, name_or_key) == 0)
            return &categories[i];
    return NULL;
}

const struct event_type *catalog_types(size_t *count)
{
    *count = COUNT(types);
    return types;
}

/* ---- types added at run time ---- */

static _Atomic(const struct event_type *) added[CATALOG_ADDED_MAX];
static atomic_size_t added_count;

/* Every entry that was ever put, so that a checker of leaks finds those that were replaced. */
static const struct event_type *kept[CATALOG_ENTRIES_MAX];
static atomic_size_t kept_count;

static const struct event_type *added_at(size_t place)
{
    return atomic_load_explicit(&added[place], memory_order_acquire);
}

bool catalog_has_room(void)
{
    return kept_count < CATALOG_ENTRIES_MAX;
}

void catalog_put(const struct event_type *type)
{
    size_t place = (size_t)(type->number - CATALOG_ADDED_FIRST);
    size_t count = atomic_load_explicit(&added_count, memory_order_relaxed);
    if (place > count || place >= CATALOG_ADDED_MAX || !catalog_has_room())
        bug("event type %d has no place in the catalog", type->number);
    kept[kept_count++] = type;
    atomic_store_explicit(&added[place], type, memory_order_release);
    if (place == count)
        atomic_store_explicit(&added_count, count + 1, memory_order_release);
}

void catalog_forget_added(void)
{
    atomic_store_explicit(&added_count, 0, memory_order_release);
}

const struct event_type *catalog_each(size_t *at)
{
    size_t place = *at - COUNT(types);
    if (*at < COUNT(types))
        return &types[(*at)++];
    if (place >= atomic_load_explicit(&added_count, memory_order_acquire))
        return NULL;
    (*at)++;
    return added_at(place);
}

const struct event_type *catalog_type(const char *name)
{
    const struct event_type *type;
    size_t at = 0;
    while ((type = catalog_each(&at)) != NULL && strcmp(type->name, name) != 0)
        ;
    return type;
}

const struct event_type *catalog_type_numbered(int number)
{
    for (size_t i = 0; i < COUNT(types) && number < CATALOG_ADDED_FIRST; i++)
        if (types[i].number == number)
            return &types[i];
    if (number < CATALOG_ADDED_FIRST)
        return NULL;
    size_t place = (size_t)(number - CATALOG_ADDED_FIRST);
    return place < atomic_load_explicit(&added_count, memory_order_acquire) ? added_at(place)
                                                                            : NULL;
}

bool catalog_reserved(const char *name)
{
    size_t len = strcspn(name, ".");
    for (size_t i = 0; i < COUNT(types); i++)
        if (strcspn(types[i].name, ".") == len && memcmp(types[i].name, name, len) == 0)
            return true;
    return false;
}

/* ---- data points ---- */

const struct data_point *catalog_common(size_t *count)
{
    *count = COUNT(common);
    return common;
}

static const struct data_point *find(const struct data_point *points, size_t count,
                                     const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(points[i].name) == len && memcmp(points[i].name, name, len) == 0)
            return &points[i];
    return NULL;
}

const struct data_point *catalog_point(const struct event_type *type, const char *name, size_t len)
{
    const struct data_point *point = find(common, COUNT(common), name, len);
    if (point == NULL && type != NULL)
        point = find(type->points, type->point_count, name, len);
    return point;
}

bool catalog_on_request(const char *name, size_t len)
{
    const struct event_type *type;
    size_t at = 0;
    while ((type = catalog_each(&at)) != NULL) {
        const struct data_point *point = find(type->points, type->point_count, name, len);
        if (point != NULL && point->on_request && !type->deleted)
            return true;
    }
    return false;
}

static const char *const point_types[] = {
    [POINT_TEXT] = "text", [POINT_INTEGER] = "integer", [POINT_MONEY] = "money",
    [POINT_DATE] = "date", [POINT_ENUM] = "enum",       [POINT_URL] = "url",
    [POINT_LIST] = "list",
};

const char *point_type_name(enum point_type type)
{
    return point_types[type];
}

bool point_type_named(const char *name, enum point_type *type)
{
    for (size_t i = 0; i < COUNT(point_types); i++) {
        if (strcmp(point_types[i], name) == 0) {
            *type = (enum point_type)i;
            return true;
        }
    }
    return false;
}

enum { NEAREST_MAX = 40 }; /* letters of a name that are compared */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How many letters must be put in, taken out or replaced, whatever their case. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[NEAREST_MAX + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_len];
}

static void nearest_of(const struct data_point *points, size_t count, const char *name, size_t len,
                       size_t *least, const char **nearest)
{
    for (size_t i = 0; i < count; i++) {
        size_t point_len = strlen(points[i].name);
        if (point_len > NEAREST_MAX)
            continue;
        size_t apart = distance(name, len, points[i].name, point_len);
        if (apart < *least) {
            *least = apart;
            *nearest = points[i].name;
        }
    }
}

const char *catalog_nearest(const struct event_type *const *among, size_t type_count,
                            const char *name, size_t len)
{
    if (len == 0 || len > NEAREST_MAX)
        return NULL;
    const char *nearest = NULL;
    size_t least = 2 + len / 4; /* so many letters wrong is another word */
    nearest_of(common, COUNT(common), name, len, &least, &nearest);
    for (size_t i = 0; i < type_count; i++) {
        if (i > 0 && among[i]->points == among[i - 1]->points)
            continue;
        nearest_of(among[i]->points, among[i]->point_count, name, len, &least, &nearest);
    }
    return nearest;
}
