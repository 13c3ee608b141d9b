/* intake.c — one event of a POST /Events after the other, read and checked.
 *
 * On the road of every event: names are compared against one short table, data is written straight
 * into the buffer that all events of the call share, and a SID seen lately is known without the
 * store.  A partner or brand sends events for itself; the operator for any account.
 */
#include "api/intake.h"

#include "api/identities.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/date.h"
#include "model/placeholder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_TEXT = 160 };

void intake_problem(struct intake *intake, size_t event, const char *field, const char *what)
{
    char whole[FIELD_TEXT];
    if (!intake->batch)
        snprintf(whole, sizeof(whole), "%s", field);
    else
        snprintf(whole, sizeof(whole), "Events[%zu]%s%s", event, field[0] != '\0' ? "." : "",
                 field);
    problems_add(&intake->api.problems, whole, "%s", what);
}

/* The event being read is the one after those that were added. */
static void wrong(struct intake *intake, const char *field, const char *what)
{
    intake_problem(intake, intake->count, field, what);
}

/* ---- its members ---- */

static const char *string_of(const struct json_value *value)
{
    return value != NULL && value->type == JSON_STRING ? value->text : NULL;
}

static bool is_given(const struct json_value *value)
{
    return value != NULL && value->type != JSON_NULL;
}

static void read_type(struct intake *intake, struct incoming *event, const struct json_value *value)
{
    const char *name = string_of(value);
    event->type = name != NULL ? catalog_type(name) : NULL;
    if (event->type != NULL && event->type->deleted)
        event->type = NULL;
    if (name != NULL && (event->type == NULL || event->type->number >= CATALOG_ADDED_FIRST))
        intake->of_added_type = true;
    if (event->type == NULL)
        wrong(intake, "Type", INTAKE_TYPE_WRONG);
}

static void read_time(struct intake *intake, struct incoming *event, const struct json_value *value)
{
    const char *text = string_of(value);
    int64_t now_ms = clock_wall_ms();
    bool whole_day;
    event->occurred_at = now_ms;
    if (!is_given(value))
        return;
    if (text == NULL || !date_parse_day(text, &event->occurred_at, &whole_day))
        wrong(intake, "OccurredAt", DATE_WANTED);
    else if (date_is_future(event->occurred_at, whole_day, now_ms, INTAKE_AHEAD_MS))
        wrong(intake, "OccurredAt", "must not be in the future");
}

static void read_key(struct intake *intake, struct incoming *event, const struct json_value *value)
{
    const char *key = string_of(value);
    if (!is_given(value))
        return;
    if (key == NULL || key[0] == '\0' || text_length(key) > INTAKE_KEY_MAX)
        wrong(intake, "DedupeKey", "must be a text of 1 to 200 characters");
    else if (placeholder_is(key)) /* all but the first would be lost */
        wrong(intake, "DedupeKey", PLACEHOLDER_WRONG);
    else
        event->dedupe_key = must_copy(key);
}

static bool named_before(const struct intake *intake, const struct incoming *event, const char *sid)
{
    for (size_t i = event->to_at; i < event->to_at + event->to_count; i++) {
        if (strcmp(intake->to[i].sid, sid) == 0)
            return true;
    }
    return false;
}

static struct addressee *next_addressee(struct intake *intake)
{
    if (intake->to_count == intake->to_room) {
        intake->to_room = intake->to_room == 0 ? 4 : intake->to_room * 2;
        intake->to = must_resize(intake->to, intake->to_room * sizeof(intake->to[0]));
    }
    return memset(&intake->to[intake->to_count], 0, sizeof(intake->to[0]));
}

/* One element of AccountSids.  Another's SID gets the words of an unknown one. */
static const char *read_account(struct intake *intake, struct incoming *event,
                                const struct json_value *element)
{
    const struct caller *caller = &intake->api.call->caller;
    const char *sid = string_of(element);
    size_t len = sid != NULL ? element->len : 0;
    bool own = sid != NULL && strcmp(sid, caller->sid) == 0;
    if (len == 0 || len >= SID_TEXT || (!own && caller->kind != ACCOUNT_OPERATOR))
        return "is not the SID of an account";
    if (named_before(intake, event, sid))
        return "is named twice";
    struct addressee *to = next_addressee(intake);
    memcpy(to->sid, sid, len + 1);
    to->account = own ? caller->account
                      : identities_account(intake->api.api->identities, sid, clock_steady_ms());
    intake->to_count++;
    event->to_count++;
    return NULL;
}

static void read_accounts(struct intake *intake, struct incoming *event,
                          const struct json_value *sids)
{
    if (sids == NULL || sids->type != JSON_ARRAY || sids->len < 1 ||
        sids->len > INTAKE_ACCOUNTS_MAX) {
        wrong(intake, "AccountSids", "must be an array of 1 to 100 SIDs");
        return;
    }
    const struct json_value *element = sids + 1;
    for (uint32_t i = 0; i < sids->len; i++, element += element->size) {
        const char *what = read_account(intake, event, element);
        char field[40];
        if (what == NULL)
            continue;
        snprintf(field, sizeof(field), "AccountSids[%u]", (unsigned)i);
        wrong(intake, field, what);
    }
}

static void read_data(struct intake *intake, struct incoming *event, const struct json_value *data)
{
    char prefix[40] = "";
    if (data == NULL) {
        wrong(intake, "Data", "is required: an object with the event's data points");
        return;
    }
    if (event->type == NULL)
        return;
    if (intake->batch)
        snprintf(prefix, sizeof(prefix), "Events[%zu].", intake->count);
    event->data_at = intake->data.len;
    event->on_request =
        event_check(event->type, data, prefix, &intake->data, &intake->api.problems);
    event->data_len = intake->data.len - event->data_at;
}

enum member { MEMBER_TYPE, MEMBER_SIDS, MEMBER_DATA, MEMBER_TIME, MEMBER_KEY, MEMBERS };

/* Each where its name says; the rest is named. */
static void sort_members(struct intake *intake, const struct json_value *body,
                         const struct json_value *members[MEMBERS])
{
    static const char *const names[MEMBERS] = { "Type", "AccountSids", "Data", "OccurredAt",
                                                "DedupeKey" };
    const struct json_value *name = body + 1;
    for (uint32_t i = 0; i < body->len; i++, name += 1 + name[1].size) {
        size_t at = 0;
        while (at < MEMBERS && strcmp(name->text, names[at]) != 0)
            at++;
        if (at < MEMBERS)
            members[at] = name + 1;
        else
            wrong(intake, name->text, "is not a member of an event");
    }
}

/* ---- the event ---- */

static void count_it(struct intake *intake, const struct incoming *event)
{
    intake->total += event->to_count;
    intake->bytes += event->to_count * event->data_len;
    if (intake->total > INTAKE_TOTAL_MAX)
        problems_add(&intake->api.problems, "Events",
                     "must be at most %d, counted once for each of their accounts",
                     INTAKE_TOTAL_MAX);
    else if (intake->bytes > INTAKE_BYTES_MAX)
        problems_add(&intake->api.problems, "Events",
                     "must have at most %d bytes of data, counted once for each account",
                     INTAKE_BYTES_MAX);
}

static void append(struct intake *intake, const struct incoming *event)
{
    if (intake->count == intake->room) {
        intake->room = intake->room == 0 ? 1 : intake->room * 2;
        intake->events = must_resize(intake->events, intake->room * sizeof(intake->events[0]));
    }
    intake->events[intake->count++] = *event;
}

void intake_add_wrong(struct intake *intake, const char *what)
{
    wrong(intake, "", what);
    append(intake, &(struct incoming){ 0 });
}

void intake_add(struct intake *intake, const struct json_value *body)
{
    struct incoming event = { .to_at = intake->to_count };
    const struct json_value *members[MEMBERS] = { NULL };
    if (body->type != JSON_OBJECT) {
        wrong(intake, "", "must be a JSON object");
    } else {
        sort_members(intake, body, members);
        read_type(intake, &event, members[MEMBER_TYPE]);
        read_accounts(intake, &event, members[MEMBER_SIDS]);
        read_data(intake, &event, members[MEMBER_DATA]);
        read_time(intake, &event, members[MEMBER_TIME]);
        read_key(intake, &event, members[MEMBER_KEY]);
        count_it(intake, &event);
    }
    append(intake, &event);
}

void intake_id(struct intake *intake, int64_t id)
{
    if (intake->id_count == intake->id_room) {
        intake->id_room = intake->id_room == 0 ? intake->to_count : intake->id_room * 2;
        intake->ids = must_resize(intake->ids, intake->id_room * sizeof(intake->ids[0]));
    }
    intake->ids[intake->id_count++] = id;
}

void intake_free(struct intake *intake)
{
    for (size_t i = 0; i < intake->count; i++)
        free(intake->events[i].dedupe_key);
    free(intake->events);
    free(intake->to);
    free(intake->ids);
    buf_free(&intake->data);
}
