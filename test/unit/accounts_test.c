/* accounts_test.c — accounts, users, tokens, the audit log and notices, on a real database. */
#include "house.h"
#include "model/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *text_of(const json_t *array, size_t at, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(array, at), name));

    return text != NULL ? text : "(absent)";
}

/* ---- accounts ---- */

static bool find_by_sid(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    struct account account;

    (void)job;
    assert_true(account_find_sid(db, house->partner.sid, &account));
    assert_int_equal(account.id, house->partner.account);
    assert_int_equal(account.kind, ACCOUNT_PARTNER);
    assert_string_equal(account.name, "Blog");
    assert_true(account.active);
    account_clear(&account);
    assert_false(account_find_sid(db, "PAnobody", &account));
    account_clear(&account); /* harmless when nothing was found */
    assert_int_equal(account_operator(db), house->operator.account);
    return true;
}

static void test_an_account_is_found_by_its_sid(void **state)
{
    assert_true(house_do(*state, find_by_sid, *state, NULL));
}

static bool page_accounts(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    json_t *first = account_list(db, 0, NULL, 0, 3);
    json_t *partners = account_list(db, ACCOUNT_PARTNER, NULL, house->partner.account, 10);

    (void)job;
    assert_int_equal(json_array_size(first), 3);
    assert_string_equal(text_of(first, 0, "Kind"), "OPERATOR");
    assert_string_equal(text_of(first, 1, "Name"), "Acme");
    assert_int_equal(json_array_size(partners), 1);
    assert_string_equal(text_of(partners, 0, "Name"), "Vlog");
    assert_string_equal(text_of(partners, 0, "Active"), "true");
    json_t *named = account_list(db, 0, "vLO", 0, 10);
    json_t *by_sid = account_list(db, 0, text_of(partners, 0, "Sid"), 0, 10);
    assert_int_equal(json_array_size(named), 1);
    assert_string_equal(text_of(named, 0, "Name"), "Vlog");
    assert_int_equal(json_array_size(by_sid), 1);
    json_decref(named);
    named = account_list(db, 0, "nobody", 0, 10);
    assert_int_equal(json_array_size(named), 0);
    json_decref(named);
    json_decref(by_sid);
    json_decref(first);
    json_decref(partners);
    return true;
}

static void test_accounts_are_listed_by_id_behind_a_cursor(void **state)
{
    assert_true(house_do(*state, page_accounts, *state, NULL));
}

static bool rename_account(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    struct account account;

    (void)job;
    assert_true(account_find(db, house->brand.account, &account));
    free(account.name);
    account.name = must_copy("Acme & Söhne");
    assert_true(account_change(db, &account));
    account_clear(&account);
    assert_true(account_find(db, house->brand.account, &account));
    assert_string_equal(account.name, "Acme & Söhne");
    account.id = 999;
    assert_false(account_change(db, &account));
    account_clear(&account);
    return true;
}

static void test_an_account_is_renamed(void **state)
{
    assert_true(house_do(*state, rename_account, *state, NULL));
}

/* ---- tokens ---- */

struct token_case {
    struct house *house;
    unsigned char hash[TOKEN_HASH_BYTES];
    int64_t id;
};

static bool add_token(struct job *job, struct db *db, void *with)
{
    struct token_case *mine = with;
    char token[TOKEN_TEXT];

    (void)job;
    token_random(token);
    token_hash(mine->hash, token);
    mine->id =
        token_add(db, mine->house->partner.account, SCOPE_READ, "laptop", DATE_NONE, mine->hash);
    return mine->id != 0;
}

static bool token_is_good(struct job *job, struct db *db, void *with)
{
    struct token_case *mine = with;
    struct caller caller;
    int64_t stale;

    (void)job;
    if (!token_find(db, mine->hash, &caller, &stale))
        return false;
    assert_int_equal(caller.account, mine->house->partner.account);
    assert_string_equal(caller.sid, mine->house->partner.sid);
    assert_int_equal(caller.kind, ACCOUNT_PARTNER);
    assert_int_equal(caller.scope, SCOPE_READ);
    assert_int_equal(caller.token, mine->id);
    assert_int_equal(caller.user, 0);
    assert_string_equal(caller.name, "laptop");
    return true;
}

static bool revoke_token(struct job *job, struct db *db, void *with)
{
    struct token_case *mine = with;

    (void)job;
    assert_false(token_revoke(db, mine->house->brand.account, mine->id)); /* not its account */
    assert_true(token_revoke(db, mine->house->partner.account, mine->id));
    assert_false(token_revoke(db, mine->house->partner.account, mine->id)); /* already */
    return true;
}

static void test_a_token_finds_its_holder_until_it_is_revoked(void **state)
{
    struct token_case mine = { .house = *state };

    assert_true(house_do(*state, add_token, &mine, NULL));
    assert_true(house_do(*state, token_is_good, &mine, NULL));
    assert_true(house_do(*state, revoke_token, &mine, NULL));
    assert_false(house_do(*state, token_is_good, &mine, NULL));
}

static bool shut_partner(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;

    (void)job;
    account_set_active(db, house->partner.account, false);
    return true;
}

static void test_a_shut_accounts_token_finds_nobody(void **state)
{
    struct token_case mine = { .house = *state };

    assert_true(house_do(*state, add_token, &mine, NULL));
    assert_true(house_do(*state, shut_partner, *state, NULL));
    assert_false(house_do(*state, token_is_good, &mine, NULL));
}

static bool list_tokens(struct job *job, struct db *db, void *with)
{
    struct token_case *mine = with;
    json_t *list = token_list(db, mine->house->partner.account);

    (void)job;
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(text_of(list, 0, "Scope"), "READ");
    assert_string_equal(text_of(list, 0, "Label"), "laptop");
    assert_string_equal(text_of(list, 0, "RevokedDate"), "");
    assert_int_equal(json_object_size(json_array_get(list, 0)), 7); /* and no hash among them */
    json_decref(list);
    list = token_list(db, mine->house->brand.account);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    return true;
}

static void test_a_list_of_tokens_shows_no_hash(void **state)
{
    struct token_case mine = { .house = *state };

    assert_true(house_do(*state, add_token, &mine, NULL));
    assert_true(house_do(*state, list_tokens, &mine, NULL));
}

/* A long label of many-byte letters is cut between letters: it goes into JSON. */
static bool long_label(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    unsigned char hash[TOKEN_HASH_BYTES] = { 7 };
    char label[121];
    struct caller caller;
    int64_t stale;
    json_t *name;

    (void)job;
    for (size_t i = 0; i < 60; i++)
        memcpy(label + 2 * i, "ä", 2);
    label[120] = '\0';
    token_add(db, house->brand.account, SCOPE_API, label, DATE_NONE, hash);
    assert_true(token_find(db, hash, &caller, &stale));
    name = json_string(caller.name);
    assert_non_null(name);
    assert_int_equal(strlen(caller.name), 78);
    json_decref(name);
    return true;
}

static void test_a_callers_name_is_cut_between_letters(void **state)
{
    assert_true(house_do(*state, long_label, *state, NULL));
}

/* ---- users ---- */

static bool add_users(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    json_t *list;

    (void)job;
    assert_int_not_equal(
        user_add(db, house->brand.account, "ann@acme.test", "Ann", ROLE_USER, "$argon2id$x"), 0);
    assert_true(user_email_taken(db, "ANN@acme.test"));
    assert_false(user_email_taken(db, "bob@acme.test"));
    /* Also of another account, in letters of another case. */
    assert_int_equal(
        user_add(db, house->partner.account, "Ann@Acme.test", "A", ROLE_USER, "$argon2id$y"), 0);
    assert_int_not_equal(
        user_add(db, house->brand.account, "bob@acme.test", "Bob", ROLE_READ_ONLY, "$argon2id$z"),
        0);
    list = user_list(db, house->brand.account);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(text_of(list, 1, "Role"), "READ_ONLY");
    assert_string_equal(text_of(list, 0, "password_hash"), "(absent)");
    json_decref(list);
    return true;
}

static void test_an_email_belongs_to_one_user(void **state)
{
    assert_true(house_do(*state, add_users, *state, NULL));
}

/* ---- audit and notices ---- */

static bool keep_journal(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    json_t *list;
    char before[24];

    (void)job;
    audit_add(db, &house->operator, "127.0.0.1", "account.add", "/Operator/Accounts/X",
              json_pack("{s:s, s:b}", "Name", "Y", "Active", 1));
    audit_add(db, &house->brand, "::1", "inquiry.accept", "/Advertisers/Y", NULL);
    audit_add(db, &house->brand, "::1", "inquiry.decline", "/Advertisers/Z", NULL);
    list = audit_list(db, 0, 0, 2);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(text_of(list, 0, "Action"), "inquiry.decline");
    assert_string_equal(text_of(list, 0, "Detail"), "");
    assert_string_equal(text_of(list, 1, "AccountSid"), house->brand.sid);
    snprintf(before, sizeof(before), "%s", text_of(list, 1, "Id"));
    json_decref(list);
    list = audit_list(db, 0, strtoll(before, NULL, 10), 2);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(text_of(list, 0, "Actor"), "Operator's key");
    assert_string_equal(text_of(list, 0, "Address"), "127.0.0.1");
    assert_string_equal(text_of(list, 0, "Detail"), "{\"Name\":\"Y\",\"Active\":true}");
    json_decref(list);
    list = audit_list(db, house->brand.account, 0, 10);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    return true;
}

static void test_the_audit_log_is_read_newest_first(void **state)
{
    assert_true(house_do(*state, keep_journal, *state, NULL));
}

static bool keep_notices(struct job *job, struct db *db, void *with)
{
    const struct house *house = with;
    int64_t id = notice_add(db, house->partner.account, "notification.held", "It answered 410.");
    json_t *list;

    (void)job;
    notice_add(db, house->brand.account, "other", "For somebody else.");
    assert_false(notice_mark_read(db, house->brand.account, id));
    list = notice_list(db, house->partner.account, 0, 10);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(text_of(list, 0, "Text"), "It answered 410.");
    assert_string_equal(text_of(list, 0, "ReadDate"), "");
    json_decref(list);
    assert_true(notice_mark_read(db, house->partner.account, id));
    list = notice_list(db, house->partner.account, 0, 10);
    assert_string_not_equal(text_of(list, 0, "ReadDate"), "");
    json_decref(list);
    list = notice_list(db, house->partner.account, id, 10);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    return true;
}

static void test_a_notice_is_its_accounts_alone(void **state)
{
    assert_true(house_do(*state, keep_notices, *state, NULL));
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_an_account_is_found_by_its_sid),
        IN_HOUSE(test_accounts_are_listed_by_id_behind_a_cursor),
        IN_HOUSE(test_an_account_is_renamed),
        IN_HOUSE(test_a_token_finds_its_holder_until_it_is_revoked),
        IN_HOUSE(test_a_shut_accounts_token_finds_nobody),
        IN_HOUSE(test_a_list_of_tokens_shows_no_hash),
        IN_HOUSE(test_a_callers_name_is_cut_between_letters),
        IN_HOUSE(test_an_email_belongs_to_one_user),
        IN_HOUSE(test_the_audit_log_is_read_newest_first),
        IN_HOUSE(test_a_notice_is_its_accounts_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
