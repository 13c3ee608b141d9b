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

static void read_type(struct intake *intake, struct incoming *event, const json_t *value)
{
    const char *name = json_string_value(value);
    event->type = name != NULL ? catalog_type(name) : NULL;
    if (event->type != NULL && event->type->deleted)
        event->type = NULL;
    if (event->type == NULL)
        wrong(intake, "Type", "must be an event type of GET /EventCatalog");
}

static void read_time(struct intake *intake, struct incoming *event, const json_t *value)
{
    int64_t now_ms = clock_wall_ms();
    event->occurred_at = now_ms;
    if (value == NULL || json_is_null(value))
        return;
    if (!json_is_string(value) || !date_parse(json_string_value(value), &event->occurred_at))
        wrong(intake, "OccurredAt", "must be an ISO 8601 date, such as 2026-11-23T18:40:17Z");
    else if (event->occurred_at > now_ms + INTAKE_AHEAD_MS)
        wrong(intake, "OccurredAt", "must not be in the future");
}

static void read_key(struct intake *intake, struct incoming *event, const json_t *value)
{
    const char *key = json_string_value(value);
    if (value == NULL || json_is_null(value))
        return;
    if (key == NULL || key[0] == '\0' || strlen(key) != json_string_length(value) ||
        text_length(key) > INTAKE_KEY_MAX)
        wrong(intake, "DedupeKey", "must be a text of 1 to 200 characters");
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
                                const json_t *element)
{
    const struct caller *caller = &intake->api.call->caller;
    const char *sid = json_string_value(element);
    size_t len = sid != NULL ? strlen(sid) : 0;
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

static void read_accounts(struct intake *intake, struct incoming *event, const json_t *sids)
{
    const json_t *element;
    size_t i;
    if (json_array_size(sids) < 1 || json_array_size(sids) > INTAKE_ACCOUNTS_MAX) {
        wrong(intake, "AccountSids", "must be an array of 1 to 100 SIDs");
        return;
    }
    json_array_foreach(sids, i, element)
    {
        const char *what = read_account(intake, event, element);
        char field[40];
        snprintf(field, sizeof(field), "AccountSids[%zu]", i);
        if (what != NULL)
            wrong(intake, field, what);
    }
}

static void read_data(struct intake *intake, struct incoming *event, const json_t *data)
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
    event_check(event->type, data, prefix, &intake->data, &intake->api.problems);
    event->data_len = intake->data.len - event->data_at;
}

static void read_members(struct intake *intake, const json_t *body)
{
    static const char *const names[] = { "Type", "AccountSids", "Data", "OccurredAt", "DedupeKey" };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)body, name, value)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !known; i++)
            known = strcmp(name, names[i]) == 0;
        if (!known)
            wrong(intake, name, "is not a member of an event");
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

void intake_add(struct intake *intake, const json_t *body)
{
    struct incoming event = { .to_at = intake->to_count };
    if (!json_is_object(body)) {
        wrong(intake, "", "must be a JSON object");
    } else {
        read_members(intake, body);
        read_type(intake, &event, json_object_get(body, "Type"));
        read_accounts(intake, &event, json_object_get(body, "AccountSids"));
        read_data(intake, &event, json_object_get(body, "Data"));
        read_time(intake, &event, json_object_get(body, "OccurredAt"));
        read_key(intake, &event, json_object_get(body, "DedupeKey"));
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
