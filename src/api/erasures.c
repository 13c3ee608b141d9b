/* erasures.c — POST /Operator/Erasures: a customer's data is erased, by a job of the operator's.
 *
 * A step looks for rows in a read and empties them in a write (store/erasures.h).  The audit log
 * has who asked, and at the end the certificate: what was emptied, and of whom as a hash alone.
 */
#include "api/errands.h"

#include "api/body.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/inquiry.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/erasures.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_ROWS = 20, SID_MAX = 40 };

static const char *text_of(const json_t *parameters, const char *name)
{
    return json_string_value(json_object_get(parameters, name));
}

/* ---- a step ---- */

struct found {
    int64_t ids[STEP_ROWS], after;
    size_t count;
    bool end; /* of the place */
};

/* False: whose customer it is is not there any more. */
static bool erasure_read(struct db *db, const struct errand *errand, struct erasure *erasure)
{
    const json_t *parameters = json_object_get(errand->request, "Parameters");
    const char *sid = text_of(parameters, "AccountSid"), *waiting = text_of(parameters, "Waiting");
    struct account account = { 0 };
    *erasure = (struct erasure){ .errand = errand->id,
                                 .customer = text_of(parameters, "CustomerId"),
                                 .order = text_of(parameters, "OrderId"),
                                 .cancels = waiting != NULL && strcmp(waiting, "CANCEL") == 0 };
    bool there = sid != NULL && account_find_sid(db, sid, &account);
    erasure->account = account.id;
    account_clear(&account);
    return there && (erasure->customer != NULL || erasure->order != NULL);
}

static void step_read(struct db *db, struct errand_step *step)
{
    struct errand_made *made = &step->made;
    struct erasure erasure;
    struct found *found = must_alloc(sizeof(*found));
    step->data = found;
    step->way = ERRAND_WRITES;
    if (!erasure_read(db, &step->errand, &erasure)) {
        made->state = ERRAND_ERROR;
        show_cut(made->message, sizeof(made->message), "There is no such account");
        step->way = ERRAND_READS;
        return;
    }
    if (made->first == 0) /* nothing is to be looked for yet */
        return;
    found->after = made->place;
    found->count =
        erasure_look(db, &erasure, (enum erasure_place)made->phase, &found->after, found->ids,
                     STEP_ROWS, clock_steady_us() + ERRAND_STEP_US, &found->end);
}

static void hash_text(const char *text, char out[2 * crypto_hash_sha256_BYTES + 1])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(out, 2 * sizeof(hash) + 1, hash, sizeof(hash));
}

static json_t *whom(const struct erasure *erasure, const char *sid)
{
    char hash[2 * crypto_hash_sha256_BYTES + 1];
    const bool by_customer = erasure->customer != NULL;
    hash_text(by_customer ? erasure->customer : erasure->order, hash);
    return json_pack("{s:s, s:s, s:s}", "AccountSid", sid != NULL ? sid : "", "By",
                     by_customer ? "CustomerId" : "OrderId", "Sha256", hash);
}

static void certify(struct db *db, struct errand_step *step, const struct erasure *erasure)
{
    const struct errand *errand = &step->errand;
    struct errand_made *made = &step->made;
    char object[API_BASE_TEXT + 40];
    json_t *detail =
        whom(erasure, text_of(json_object_get(errand->request, "Parameters"), "AccountSid"));
    json_object_set_new(detail, "Emptied", erasure_counts(db, errand->id));
    snprintf(object, sizeof(object), "/Mediapartners/%s/Jobs/%" PRId64, errand->caller.sid,
             errand->id);
    audit_add(db, &errand->caller, errand->address, "erasure.certificate", object, detail);
    made->state = ERRAND_COMPLETED;
    made->percent = 100;
    made->total = made->records;
    snprintf(made->message, sizeof(made->message),
             "%" PRId64 " rows were emptied; the audit log has the certificate", made->records);
}

/* Behind what was looked at: the next rows, the next place, or the end. */
static void step_on(struct db *db, struct errand_step *step, const struct erasure *erasure,
                    int64_t after, bool end)
{
    struct errand_made *made = &step->made;
    made->place = end ? 0 : after;
    made->phase += end;
    made->percent = made->phase * 100 / ERASURE_PLACES;
    if (made->phase == ERASURE_PLACES)
        certify(db, step, erasure);
}

/* Some pieces of its result: it is met again until none is left. */
static bool take_job(struct job *job, struct db *db, const struct erasure *erasure, int64_t id)
{
    bool first, ended = errand_result_drop(db, id, &first);
    if (ended)
        erasure_count(db, erasure->errand, "Exports", first);
    else
        error_set(&job->error, ERROR_UNAVAILABLE, "job %" PRId64 " has not ended", id);
    return ended;
}

static bool take_row(struct job *job, struct db *db, const struct erasure *erasure,
                     enum erasure_place place, int64_t id)
{
    return place == ERASURE_JOBS ? take_job(job, db, erasure, id)
                                 : erasure_take(job, db, erasure, place, id);
}

/* What is still to be delivered ends the step before it; alone it is tried again later. */
static bool step_write(struct job *job, struct db *db, struct errand_step *step)
{
    const struct found *found = step->data;
    struct errand_made *made = &step->made;
    struct erasure erasure;
    int64_t until_us = clock_steady_us() + ERRAND_STEP_US;
    size_t at = 0;
    if (!erasure_read(db, &step->errand, &erasure))
        return false;
    if (made->first == 0) {
        erasure_begin(db, &erasure);
        made->first = 1;
        return true;
    }
    enum erasure_place place = (enum erasure_place)made->phase;
    while (at < found->count && !db_failed(db) && (at == 0 || clock_steady_us() < until_us) &&
           take_row(job, db, &erasure, place, found->ids[at]))
        at++;
    if (at < found->count && at == 0)
        return false;
    job->error = (struct error){ 0 };
    if (place >= ERASURE_EVENTS)
        made->taken = made->records += (int64_t)at;
    bool all = at == found->count;
    if (place == ERASURE_JOBS && at > 0) /* until none has a piece left */
        step_on(db, step, &erasure, 0, false);
    else
        step_on(db, step, &erasure, all ? found->after : found->ids[at - 1], all && found->end);
    return true;
}

static void step_clear(struct errand_step *step)
{
    free(step->data);
    step->data = NULL;
}

const struct errand_doer erasure_doer = { step_read, step_write, step_clear };

/* ---- the call ---- */

struct erasure_work {
    struct api_job api;
    json_t *parameters;
    int64_t id;
};

static struct erasure_work *work_of(struct api_job *job)
{
    return (struct erasure_work *)job;
}

static void clear_work(struct api_job *job)
{
    json_decref(work_of(job)->parameters);
}

static void job_uri(const struct api_job *job, char *out, size_t size)
{
    snprintf(out, size, "/Mediapartners/%s/Jobs/%" PRId64, job->call->caller.sid,
             ((const struct erasure_work *)job)->id);
}

static bool account_is_known(struct api_job *job, struct db *db, const char *sid)
{
    struct account account = { 0 };
    bool known = account_find_sid(db, sid, &account) && account.kind != ACCOUNT_OPERATOR;
    account_clear(&account);
    if (!known) {
        problems_add(&job->problems, "AccountSid", "is not the SID of a partner or a brand");
        error_set(&job->job.error, ERROR_INVALID, "The request is not valid.");
    }
    return known;
}

static bool run_begin(struct api_job *job, struct db *db)
{
    struct erasure_work *work = work_of(job);
    const char *sid = text_of(work->parameters, "AccountSid");
    const struct erasure erasure = { .customer = text_of(work->parameters, "CustomerId"),
                                     .order = text_of(work->parameters, "OrderId") };
    const struct errand_asked asked = {
        ERRAND_ERASURE, &job->call->caller, job->call->address, NULL, "CSV", work->parameters
    };
    char uri[API_BASE_TEXT + 40];
    if (!account_is_known(job, db, sid))
        return false;
    work->id = errand_add(&job->job, db, &asked, false);
    if (work->id == 0)
        return false;
    job_uri(job, uri, sizeof(uri));
    audit_add(db, &job->call->caller, job->call->address, "erasure.begin", uri,
              whom(&erasure, sid));
    return true;
}

static void finish_begin(struct api_job *job)
{
    char uri[API_BASE_TEXT + 40];
    json_t *answer = json_object();
    job_uri(job, uri, sizeof(uri));
    show_text(answer, "Status", "OK");
    show_int(answer, "Id", work_of(job)->id);
    show_text(answer, "Uri", uri);
    call_json_answer(job->call, 202, answer);
}

static bool take_text(const struct fields *fields, const char *name, size_t most,
                      const char *meaning, json_t *parameters)
{
    char *text = fields_text(fields, name, most, 0, meaning);
    if (text != NULL)
        json_object_set_new(parameters, name, json_string(text));
    free(text);
    return json_object_get(parameters, name) != NULL;
}

static void take_fields(const struct fields *fields, json_t *parameters)
{
    static const char *const names[] = { "AccountSid", "CustomerId", "OrderId", "Waiting", NULL };
    size_t before = fields->problems->count;
    fields_only(fields, names);
    take_text(fields, "AccountSid", SID_MAX, "whose customer it is", parameters);
    bool customer = take_text(fields, "CustomerId", CUSTOMER_ID_MAX, NULL, parameters);
    bool order = take_text(fields, "OrderId", ORDER_ID_MAX, NULL, parameters);
    if (customer == order && fields->problems->count == before)
        problems_add(fields->problems, "CustomerId", "is required, or an OrderId in its place");
    take_text(fields, "Waiting", 10, "SEND or CANCEL, what is still to be delivered", parameters);
    const char *waiting = text_of(parameters, "Waiting");
    if (waiting != NULL && strcmp(waiting, "SEND") != 0 && strcmp(waiting, "CANCEL") != 0)
        problems_add(fields->problems, "Waiting", "must be SEND or CANCEL");
}

static void begin(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct erasure_work *work =
        api_job_new(sizeof(*work), call, context, run_begin, finish_begin, clear_work);
    const struct fields fields = { .from = body, .problems = &work->api.problems };
    work->parameters = json_object();
    take_fields(&fields, work->parameters);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

const struct route erasure_routes[] = {
    { "POST", "/Operator/Erasures", begin, ACCOUNT_OPERATOR, SCOPE_API, true, 16 * 1024 },
};
const size_t erasure_route_count = sizeof(erasure_routes) / sizeof(erasure_routes[0]);
