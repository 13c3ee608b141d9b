/* postback_changes.c — POST …/Postbacks/Change: many postbacks are retried, sent again or
 * cancelled.
 *
 * Those that are named are changed in one write, each as if it was asked for alone, and each says
 * what became of it.  All that match a filter are changed by a job, newest first, from those that
 * there are when it begins: what it makes itself is newer, and so not met.
 */
#include "api/errands.h"

#include "api/body.h"
#include "api/outward.h"
#include "api/postbacks.h"
#include "api/stand_in.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/text.h"
#include "model/show.h"
#include "store/accounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAMED_MOST = 200, /* in one call: about 20 ms of the writer */
    STEP_ROWS = 50,
};

static const struct {
    const char *name, *audit, *done;
} actions[POSTBACK_ACTIONS] = {
    [POSTBACK_RETRY] = { "RETRY", "postbacks.retry", "retried" },
    [POSTBACK_RESEND] = { "RESEND", "postbacks.resend", "sent again" },
    [POSTBACK_CANCEL] = { "CANCEL", "postbacks.cancel", "cancelled" },
};

static bool action_named(const char *name, enum postback_action *action)
{
    for (int i = 0; i < POSTBACK_ACTIONS; i++) {
        if (name == NULL || !text_same(name, actions[i].name))
            continue;
        *action = (enum postback_action)i;
        return true;
    }
    return false;
}

/* Whether it was refused as it is not as it would have to be; then job->error is taken away. */
static bool is_refused(struct job *job, char *message, size_t size)
{
    if (job->error.kind != ERROR_CONFLICT && job->error.kind != ERROR_NOT_FOUND)
        return false;
    show_cut(message, size, job->error.message);
    job->error = (struct error){ 0 };
    return true;
}

/* ---- those that are named ---- */

struct change_work {
    struct api_job api;
    enum postback_action action;
    int64_t ids[NAMED_MOST];
    size_t count;
    json_t *parameters; /* NULL: those that are named */
    int64_t done, errand;
};

static struct change_work *work_of(struct api_job *job)
{
    return (struct change_work *)job;
}

static void clear_work(struct api_job *job)
{
    json_decref(work_of(job)->parameters);
}

/* False: with job->error, none of them is changed. */
static bool change_one(struct api_job *job, struct db *db, int64_t id)
{
    struct change_work *work = work_of(job);
    char message[sizeof(job->job.error.message)] = "";
    int64_t new_id = 0;
    bool done = postback_act(&job->job, db, job->call->caller.account, id, work->action, &new_id);
    if (!done && !is_refused(&job->job, message, sizeof(message)))
        return false;
    json_t *shown = json_object();
    show_id(shown, "Id", id);
    show_text(shown, "Status", done ? "OK" : "ERROR");
    show_id(shown, "NewId", new_id);
    show_text(shown, "Message", message);
    json_array_append_new(job->shown, shown);
    work->done += done;
    return true;
}

static bool run_named(struct api_job *job, struct db *db)
{
    struct change_work *work = work_of(job);
    char base[API_BASE_TEXT], object[API_BASE_TEXT + 40];
    work->done = 0;
    job->shown = json_array();
    for (size_t i = 0; i < work->count && !db_failed(db); i++) {
        if (!change_one(job, db, work->ids[i]))
            return false;
    }
    api_base(job->call, base);
    snprintf(object, sizeof(object), "%s/Postbacks", base);
    audit_add(db, &job->call->caller, job->call->address, actions[work->action].audit, object,
              json_pack("{s:O}", "Results", job->shown));
    return true;
}

static void finish_named(struct api_job *job)
{
    const struct change_work *work = work_of(job);
    json_t *answer = json_object();
    show_text(answer, "Status", "OK");
    show_int(answer, "Done", work->done);
    show_int(answer, "Refused", (int64_t)work->count - work->done);
    json_object_set(answer, "Results", job->shown);
    call_json_answer(job->call, 200, answer);
}

/* ---- all that match ---- */

static bool run_all(struct api_job *job, struct db *db)
{
    struct change_work *work = work_of(job);
    const struct errand_asked asked = {
        ERRAND_POSTBACKS, &job->call->caller, job->call->address, NULL, "CSV", work->parameters
    };
    work->errand = errand_add(&job->job, db, &asked, false);
    if (work->errand == 0)
        return false;
    errand_audit(job->call, db, actions[work->action].audit, work->errand,
                 json_pack("{s:O}", "Parameters", work->parameters));
    return true;
}

static void finish_all(struct api_job *job)
{
    errand_answer_begun(job->call, work_of(job)->errand);
}

/* What a step of the job has found. */
struct found {
    enum postback_action action;
    int64_t ids[STEP_ROWS], next;
    size_t count;
};

static void change_end(struct errand_step *step, enum postback_action action)
{
    struct errand_made *made = &step->made;
    made->state = ERRAND_COMPLETED;
    made->percent = 100;
    made->total = made->records;
    snprintf(made->message, sizeof(made->message), "%" PRId64 " of %" PRId64 " postbacks %s %s",
             made->taken, made->records, made->taken == 1 ? "was" : "were", actions[action].done);
}

/* Ids are in order of time, so the place says about how far it is. */
static void set_place(struct db *db, struct errand_made *made, int64_t place)
{
    int64_t oldest = postback_oldest(db);
    made->place = place;
    if (made->first > oldest)
        made->percent =
            (int64_t)((double)(made->first - place) * 99 / (double)(made->first - oldest));
    made->percent = made->percent < 0 ? 0 : made->percent > 99 ? 99 : made->percent;
}

static void begin_at(struct db *db, struct errand_made *made)
{
    if (made->place == 0)
        made->place = made->first = id_first_at(db_now(db));
    made->phase = 1;
}

static void change_read(struct db *db, struct errand_step *step)
{
    const json_t *parameters = json_object_get(step->errand.request, "Parameters");
    struct errand_made *made = &step->made;
    struct postback_filter filter = { 0 };
    struct problems none = { 0 };
    struct stand_in in;
    struct found *found = must_alloc(sizeof(*found));
    json_t *postback;
    size_t i;
    action_named(json_string_value(json_object_get(parameters, "Action")), &found->action);
    stand_in_make(&in, &step->errand.caller, step->errand.address, parameters);
    postback_filter_read(&in.call, false, &filter, &none);
    bool known = none.count == 1; /* "Action" is no filter */
    problems_free(&none);
    begin_at(db, made);
    step->data = found;
    if (!known) {
        made->state = ERRAND_ERROR;
        show_cut(made->message, sizeof(made->message), "A filter names what is no more");
        return;
    }
    filter.before = made->place;
    filter.limit = STEP_ROWS;
    json_t *page = postback_list(db, step->errand.account, &filter, &found->next);
    json_array_foreach(page, i,
                       postback) if (id_parse(json_string_value(json_object_get(postback, "Id")),
                                              &found->ids[found->count])) found->count++;
    json_decref(page);
    if (found->count > 0)
        step->way = ERRAND_WRITES;
    else if (found->next != 0)
        set_place(db, made, found->next);
    else
        change_end(step, found->action);
}

static bool change_write(struct job *job, struct db *db, struct errand_step *step)
{
    const struct found *found = step->data;
    struct errand_made *made = &step->made;
    char message[sizeof(job->error.message)];
    int64_t until_us = clock_steady_us() + ERRAND_STEP_US, new_id;
    size_t at = 0;
    begin_at(db, made);
    do {
        bool done =
            postback_act(job, db, step->errand.account, found->ids[at], found->action, &new_id);
        if (!done && !is_refused(job, message, sizeof(message)))
            return false;
        made->taken += done;
        made->unchanged += !done;
        made->records++;
        at++;
    } while (at < found->count && clock_steady_us() < until_us && !db_failed(db));
    if (at == found->count && found->next == 0)
        change_end(step, found->action);
    else
        set_place(db, made, at == found->count ? found->next : found->ids[at - 1]);
    return true;
}

static void change_clear(struct errand_step *step)
{
    free(step->data);
    step->data = NULL;
}

const struct errand_doer postbacks_doer = { change_read, change_write, change_clear };

/* ---- what is asked for ---- */

/* "17, 18" as a list of texts, which a form sends. */
static json_t *listed(const json_t *ids)
{
    if (!json_is_string(ids))
        return json_incref((json_t *)ids);
    json_t *list = json_array();
    const char *at = json_string_value(ids);
    for (at += strspn(at, ", "); *at != '\0'; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        json_array_append_new(list, json_stringn(at, len));
        at += len;
    }
    return list;
}

static void ids_take(const struct fields *fields, struct change_work *work)
{
    json_t *ids = listed(json_object_get(fields->from, "Ids")), *one;
    size_t i;
    bool fits =
        json_is_array(ids) && json_array_size(ids) > 0 && json_array_size(ids) <= NAMED_MOST;
    if (!fits)
        problems_add(fields->problems, "Ids",
                     "must be a list of 1 to %d ids; more are named by All and filters",
                     NAMED_MOST);
    for (i = 0; fits && i < json_array_size(ids); i++) {
        one = json_array_get(ids, i);
        const char *text = json_string_value(one);
        int64_t id = json_is_integer(one) ? json_integer_value(one) : 0;
        if (id <= 0 && (text == NULL || !id_parse(text, &id)))
            problems_add(fields->problems, "Ids", "must be ids of postbacks");
        else
            work->ids[work->count++] = id;
    }
    json_decref(ids);
}

/* All other members are the list's parameters. */
static json_t *parameters_of(const struct fields *fields, const struct call *call)
{
    static const char *const own[] = { "Action", "Ids", "All" };
    json_t *parameters = json_object(), *value;
    struct postback_filter filter = { 0 };
    struct stand_in in;
    const char *name;
    json_object_foreach((json_t *)fields->from, name, value)
    {
        size_t at = 0;
        while (at < sizeof(own) / sizeof(own[0]) && strcmp(own[at], name) != 0)
            at++;
        if (at < sizeof(own) / sizeof(own[0]) || json_is_null(value))
            continue;
        if (json_is_integer(value))
            json_object_set_new(parameters, name,
                                json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value)));
        else if (json_is_string(value) && json_object_size(parameters) < CALL_QUERY_MAX - 1)
            json_object_set(parameters, name, value);
        else
            problems_add(fields->problems, name, "must be a text");
    }
    stand_in_make(&in, &call->caller, call->address, parameters);
    postback_filter_read(&in.call, false, &filter, fields->problems);
    return parameters;
}

static void change_take(const struct fields *fields, const struct call *call,
                        struct change_work *work)
{
    static const char *const named[] = { "Action", "Ids", "All", NULL };
    const json_t *ids = json_object_get(fields->from, "Ids");
    bool all = false;
    char *action = fields_text(fields, "Action", 20, 0, "RETRY, RESEND or CANCEL");
    if (action != NULL && !action_named(action, &work->action))
        problems_add(fields->problems, "Action", "must be RETRY, RESEND or CANCEL");
    if (body_bool(fields, "All", &all) && all) {
        if (ids != NULL)
            problems_add(fields->problems, "Ids", "must not be given with All");
        work->parameters = parameters_of(fields, call);
        json_object_set_new(work->parameters, "Action", json_string(actions[work->action].name));
    } else {
        fields_only(fields, named);
        ids_take(fields, work);
    }
    free(action);
}

static void change(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct change_work *work =
        api_job_new(sizeof(*work), call, context, run_named, finish_named, clear_work);
    struct fields fields = { .from = body, .problems = &work->api.problems };
    change_take(&fields, call, work);
    json_decref(body);
    if (work->parameters != NULL) {
        work->api.run = run_all;
        work->api.finish = finish_all;
    }
    if (!api_job_valid(&work->api))
        return;
    if (work->action != POSTBACK_CANCEL &&
        !outward_may(context, call, work->parameters != NULL ? OUTWARD_REPLAY : OUTWARD_SEND)) {
        api_job_drop(&work->api);
        return;
    }
    api_write(&work->api);
}

const struct route postback_change_routes[] = {
    { "POST", "/Mediapartners/{SID}/Postbacks/Change", change, PARTNERS, SCOPE_API, COUNTED, 0 },
    { "POST", "/Advertisers/{SID}/Postbacks/Change", change, BRANDS, SCOPE_API, COUNTED, 0 },
};
const size_t postback_change_route_count =
    sizeof(postback_change_routes) / sizeof(postback_change_routes[0]);
