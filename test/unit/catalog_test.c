/* The catalog: whole, consistent, and its numbers where they were. */
#include "model/catalog.h"

#include "model/date.h"
#include "model/money.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Written to disk: this list may grow, no line of it may change. */
static const struct {
    int number;
    const char *name, *category;
    bool by_default;
} promised[] = {
    { 1, "action_inquiry.opened", "Action Inquiry Events", true },
    { 2, "action_inquiry.resolved", "Action Inquiry Events", true },
    { 3, "action_inquiry.closed", "Action Inquiry Events", true },
    { 4, "action_inquiry.incomplete", "Action Inquiry Events", false },
    { 5, "action_inquiry.replied", "Action Inquiry Events", false },
    { 6, "action_inquiry.reopened", "Action Inquiry Events", false },
    { 20, "action.tracked", "Action Lifecycle Events", true },
    { 21, "action.modified", "Action Lifecycle Events", true },
    { 22, "action.reversed", "Action Lifecycle Events", true },
    { 30, "action.cleared", "Action Clearing Events", true },
    { 40, "tracking_value_request.created", "Tracking Value Request Events", true },
    { 50, "job.completed", "Job Completion Events", true },
    { 60, "product_data.changed", "Product Data Change Events", true },
    { 70, "system.maintenance_started", "System Events", true },
    { 71, "system.maintenance_ended", "System Events", true },
    { 80, "notification.failing", "System Events", true },
    { 81, "notification.recovered", "System Events", true },
    { 82, "notification.late", "System Events", true },
};

static void test_types_are_as_promised(void **state)
{
    (void)state;
    size_t count;
    catalog_types(&count);
    assert_int_equal(count, sizeof(promised) / sizeof(promised[0]));
    for (size_t i = 0; i < count; i++) {
        const struct event_type *type = catalog_type(promised[i].name);
        if (type == NULL)
            fail_msg("expected a type %s", promised[i].name);
        assert_int_equal(type->number, promised[i].number);
        assert_ptr_equal(catalog_type_numbered(promised[i].number), type);
        assert_string_equal(type->category->name, promised[i].category);
        assert_int_equal(type->by_default, promised[i].by_default);
    }
    assert_null(catalog_type("action_inquiry.vanished"));
    assert_null(catalog_type_numbered(0));
}

static void test_categories_by_name_and_key(void **state)
{
    (void)state;
    size_t count;
    const struct category *all = catalog_categories(&count);
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(catalog_category(all[i].name), &all[i]);
        assert_ptr_equal(catalog_category(all[i].key), &all[i]);
    }
    assert_null(catalog_category("Weather Events"));
}

static bool sample_fits(const struct data_point *point)
{
    int64_t value;
    json_t *list;
    switch (point->type) {
    case POINT_DATE:
        return date_parse(point->sample, &value);
    case POINT_MONEY:
        return money_parse(point->sample, "EUR", &value) == NULL;
    case POINT_INTEGER:
        return strspn(point->sample, "0123456789") == strlen(point->sample);
    case POINT_LIST:
        list = json_loads(point->sample, 0, NULL);
        json_decref(list);
        return list != NULL && point->sample[0] == '[';
    default:
        return true;
    }
}

static void check_points(const char *of, const struct data_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct data_point *point = &points[i];
        if (point->name[0] < 'A' || point->name[0] > 'Z' ||
            strspn(point->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") !=
                strlen(point->name))
            fail_msg("%s: expected %s in PascalCase", of, point->name);
        if (point->sample[0] == '\0' || !sample_fits(point))
            fail_msg("%s: %s has the sample '%s', not a %s", of, point->name, point->sample,
                     point_type_name(point->type));
        assert_true(point->meaning[0] != '\0' && strchr(point->meaning, '\n') == NULL);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(points[j].name, point->name);
    }
}

static void test_points_have_names_meanings_and_right_samples(void **state)
{
    (void)state;
    size_t count, common_count;
    const struct event_type *types = catalog_types(&count);
    const struct data_point *common = catalog_common(&common_count);
    check_points("common", common, common_count);
    for (size_t i = 0; i < count; i++) {
        assert_true(types[i].point_count > 0 && types[i].point_count <= CATALOG_POINTS_MAX);
        check_points(types[i].name, types[i].points, types[i].point_count);
        for (size_t j = 0; j < common_count; j++) /* a common point hides none of a type's own */
            for (size_t k = 0; k < types[i].point_count; k++)
                assert_string_not_equal(types[i].points[k].name, common[j].name);
    }
}

static const char *sample_of(const struct event_type *type, const char *point)
{
    for (size_t i = 0; i < type->point_count; i++) {
        if (strcmp(type->points[i].name, point) == 0)
            return catalog_sample(type, &type->points[i]);
    }
    fail_msg("%s has no %s", type->name, point);
    return "";
}

static bool has(const struct event_type *type, const char *point)
{
    return sample_of(type, point)[0] != '\0';
}

static bool is(const struct event_type *type, const char *point, const char *value)
{
    return strcmp(sample_of(type, point), value) == 0;
}

#define HOLDS(type, what)                                                                          \
    do {                                                                                           \
        if (!(what))                                                                               \
            fail_msg("the sample of %s cannot happen: not %s", (type)->name, #what);               \
    } while (0)

static void check_inquiry(const struct event_type *type)
{
    bool declined = is(type, "ResolutionStatus", "DECLINED");
    bool valid = is(type, "ResolutionStatus", "VALID");
    HOLDS(type, declined == has(type, "RejectReason"));
    HOLDS(type, (declined || valid) == has(type, "ResolutionDate"));
    HOLDS(type, valid || !has(type, "FinalPayout"));
    HOLDS(type, valid || !has(type, "PromoCode"));
    HOLDS(type, valid == has(type, "ActionId"));
    HOLDS(type, has(type, "ActionId") == has(type, "ActionUri"));
    HOLDS(type, is(type, "State", "CLOSED") == has(type, "ClosedDate"));
    HOLDS(type, is(type, "State", "CLOSED") == (strstr(type->name, ".closed") != NULL));
    HOLDS(type, is(type, "Reopened", "true") == (strstr(type->name, ".reopened") != NULL));
    HOLDS(type,
          is(type, "ResolutionStatus", "UNRESOLVED") ==
                  (strstr(type->name, ".opened") != NULL || strstr(type->name, ".re") != NULL) ||
              declined);
    HOLDS(type, (strstr(type->name, ".resolved") != NULL) <= (declined || valid));
    HOLDS(type, (strstr(type->name, ".incomplete") != NULL) ==
                    is(type, "ResolutionStatus", "INCOMPLETE"));
    HOLDS(type, is(type, "ResolutionStatus", "UNRESOLVED") || !has(type, "AutoApprovalDate"));
}

static int64_t money_of(const struct event_type *type, const char *point)
{
    int64_t value = 0;
    assert_null(money_parse(sample_of(type, point), "EUR", &value));
    return value;
}

static int64_t money_change(const char *text)
{
    int64_t value = 0;
    assert_null(money_parse(text[0] == '-' ? text + 1 : text, "EUR", &value));
    return text[0] == '-' ? -value : value;
}

static void check_action(const struct event_type *type)
{
    HOLDS(type, money_of(type, "IntendedPayout") + money_change(sample_of(type, "DeltaPayout")) ==
                    money_of(type, "Payout"));
    HOLDS(type, money_of(type, "IntendedAmount") + money_change(sample_of(type, "DeltaAmount")) ==
                    money_of(type, "Amount"));
    HOLDS(type, has(type, "ClearedDate") == (strstr(type->name, ".cleared") != NULL));
    HOLDS(type, is(type, "Status", "REVERSED") == (strstr(type->name, ".reversed") != NULL));
    HOLDS(type, is(type, "ReferringType", "ACTION_INQUIRY") == has(type, "InquiryId"));
    HOLDS(type, has(type, "StatusDetail") == (strcmp(sample_of(type, "DeltaAmount"), "0.00") != 0));
}

/* P14: each type's samples are together an event of it that can happen. */
static void test_the_sample_of_each_type_can_happen(void **state)
{
    size_t count, common_count;
    const struct event_type *types = catalog_types(&count);
    const struct data_point *common = catalog_common(&common_count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct event_type *type = &types[i];
        if (strcmp(type->category->key, "action_inquiry") == 0)
            check_inquiry(type);
        else if (strncmp(type->name, "action.", 7) == 0)
            check_action(type);
        else if (strncmp(type->name, "system.", 7) == 0)
            HOLDS(type, has(type, "EndDate") == (strstr(type->name, "ended") != NULL));
        else if (strncmp(type->name, "notification.", 13) == 0)
            HOLDS(type, is(type, "PendingPostbacks", "0") == !has(type, "OldestPendingDate"));
        for (size_t j = 0; j < common_count; j++) {
            if (strcmp(common[j].name, "EventType") == 0)
                assert_string_equal(catalog_sample(type, &common[j]), type->name);
        }
        for (size_t j = 0; j < type->point_count; j++) { /* still of its type */
            struct data_point point = type->points[j];
            point.sample = catalog_sample(type, &type->points[j]);
            if (point.sample[0] != '\0' && point.sample[0] != '-' && !sample_fits(&point))
                fail_msg("%s: %s has the sample '%s'", type->name, point.name, point.sample);
        }
    }
}

static void test_carries_what_the_api_shows(void **state)
{
    (void)state;
    static const char *const inquiry[] = {
        "InquiryId",
        "MediaPartnerInquiryId",
        "CampaignId",
        "CampaignName",
        "OrderId",
        "TransactionDate",
        "TransactionAmount",
        "Currency",
        "InquiryType",
        "ExpectedPayout",
        "ResolutionDeadlineDate",
        "TrackingLink",
        "CustomerId",
        "InquiryDate",
        "InquiryNotes",
        "Comments",
        "ActionId",
        "ActionUri",
        "AutoApprovalDate",
        "ResolutionStatus",
        "RejectReason",
        "FinalPayout",
        "ResolutionDate",
        "CreationDate",
        "Uri",
        "State",
        "ClosedDate",
        "MediaPartnerId",
        "EventId",
        "EventType",
        "EventTime",
        "AccountSid",
        "PostbackId",
        "Attempt",
        "MediaPartnerName",
    };
    static const char *const action[] = {
        "ActionTrackerName", "Oid",   "DeltaPayout", "SubId3", "SharedId",
        "LandingPageUrl",    "Items", "LockingDate"
    };
    for (size_t i = 0; i < sizeof(inquiry) / sizeof(inquiry[0]); i++)
        if (catalog_point(catalog_type("action_inquiry.closed"), inquiry[i], strlen(inquiry[i])) ==
            NULL)
            fail_msg("expected inquiry events to carry %s", inquiry[i]);
    for (size_t i = 0; i < sizeof(action) / sizeof(action[0]); i++)
        if (catalog_point(catalog_type("action.cleared"), action[i], strlen(action[i])) == NULL)
            fail_msg("expected action events to carry %s", action[i]);
}

static void test_points_are_found_by_exact_name(void **state)
{
    (void)state;
    const struct event_type *opened = catalog_type("action_inquiry.opened");
    assert_string_equal(catalog_point(opened, "OrderIdentity", 7)->name, "OrderId");
    assert_null(catalog_point(opened, "orderid", 7));
    assert_null(catalog_point(opened, "OrderI", 6));
    assert_null(catalog_point(opened, "OrderId\0x", 9));
    assert_null(catalog_point(opened, "", 0));
    assert_non_null(catalog_point(NULL, "EventId", 7));
    assert_null(catalog_point(NULL, "OrderId", 7));
    /* one noun, one set of points: a template compiled for one type serves the others */
    assert_ptr_equal(catalog_point(opened, "OrderId", 7),
                     catalog_point(catalog_type("action_inquiry.closed"), "OrderId", 7));
}

static void nearest_is(const char *written, const char *expected)
{
    const struct event_type *types[] = { catalog_type("action_inquiry.opened"),
                                         catalog_type("action.tracked") };
    const char *nearest = catalog_nearest(types, 2, written, strlen(written));
    if (expected == NULL ? nearest != NULL : nearest == NULL || strcmp(nearest, expected) != 0)
        fail_msg("%s: expected %s, got %s", written, expected != NULL ? expected : "nothing",
                 nearest != NULL ? nearest : "nothing");
}

static void test_guesses_what_was_meant(void **state)
{
    (void)state;
    nearest_is("campaignid", "CampaignId");
    nearest_is("CampainId", "CampaignId");
    nearest_is("Campaign_Id", "CampaignId");
    nearest_is("OderId", "OrderId");
    nearest_is("PromCode", "PromoCode");
    nearest_is("EventTyp", "EventType");
    nearest_is("Temperature", NULL);
    nearest_is("", NULL);
    nearest_is("AVeryLongNameThatNobodyHasEverGivenToADataPoint", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_are_as_promised),
        cmocka_unit_test(test_categories_by_name_and_key),
        cmocka_unit_test(test_points_have_names_meanings_and_right_samples),
        cmocka_unit_test(test_the_sample_of_each_type_can_happen),
        cmocka_unit_test(test_carries_what_the_api_shows),
        cmocka_unit_test(test_points_are_found_by_exact_name),
        cmocka_unit_test(test_guesses_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
