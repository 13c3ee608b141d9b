/* profile.c — PUT /Session/Profile, and the sessions: one's own (/Session/Sessions), and those of
 * an account for its ADMINs and the operator.
 *
 * Another mail address is confirmed by a link to it where this server sends mail, so that nobody
 * gets a stranger's letters, and the old address is told; without a mailer it is taken as given.
 */
#include "api/people.h"

#include "api/body.h"
#include "api/operator.h"
#include "api/sessions.h"
#include "api/tries.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/show.h"
#include "store/letters.h"
#include "store/links.h"
#include "store/sessions.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void change_profile(struct call *call, void *context);
static void list_own(struct call *call, void *context);
static void end_own(struct call *call, void *context);
static void end_others(struct call *call, void *context);

#define USERS                                                                                      \
    .who = ACCOUNT_PARTNER | ACCOUNT_BRAND | ACCOUNT_OPERATOR, .scopes = SCOPE_API | SCOPE_READ

const struct route profile_routes[] = {
    { "PUT", "/Session/Profile", change_profile, USERS, .body_max = 8 * 1024 },
    { "GET", "/Session/Sessions", list_own, USERS },
    { "DELETE", "/Session/Sessions", end_others, USERS },
    { "DELETE", "/Session/Sessions/{Id}", end_own, USERS },
};
const size_t profile_route_count = sizeof(profile_routes) / sizeof(profile_routes[0]);

/* ---- the profile ---- */

struct profile_work {
    struct api_job api;
    char *name, *email, *time_zone, *locale;
    bool mailed;
};

static void clear_profile(struct api_job *job)
{
    struct profile_work *work = (struct profile_work *)job;
    free(work->name);
    free(work->email);
    free(work->time_zone);
    free(work->locale);
}

/* A letter to the new address, with the link, and one to the old. */
static void write_letters(struct profile_work *work, struct db *db, const struct user_key *user,
                          const char *account)
{
    struct buf subject = { 0 }, told = { 0 };
    char token[TOKEN_TEXT];
    unsigned char hash[TOKEN_HASH_BYTES];
    struct link_row link = { .kind = LINK_EMAIL,
                             .account = user->caller.account,
                             .person = user->caller.user,
                             .role = ROLE_USER };
    show_cut(link.email, sizeof(link.email), work->email);
    show_cut(link.account_name, sizeof(link.account_name), account);
    links_remove(db, link.person, LINK_EMAIL);
    link_random(token);
    link_hash(hash, token);
    link_add(db, &link, hash);
    link_mail(db, &link, work->api.api->origin, token);
    buf_fmt(&told,
            "Your mail address for %s is to be %s from now on: a link was sent there.\n\nIf it was "
            "not you who wanted that, change your password and tell your account's admin.\n",
            account, work->email);
    buf_fmt(&subject, "Your mail address for %s", account);
    letter_add(db, user->email, buf_text(&subject), buf_text(&told));
    sodium_memzero(token, sizeof(token));
    buf_free(&subject);
    buf_free(&told);
}

static json_t *profile_detail(const struct profile_work *work)
{
    json_t *detail = json_object();
    if (work->name != NULL)
        show_text(detail, "Name", work->name);
    if (work->email != NULL)
        show_text(detail, "Email", work->email);
    if (work->time_zone != NULL)
        show_text(detail, "TimeZone", work->time_zone);
    if (work->locale != NULL)
        show_text(detail, "Locale", work->locale);
    return detail;
}

static bool run_profile(struct api_job *job, struct db *db)
{
    struct profile_work *work = (struct profile_work *)job;
    const struct caller *caller = &job->call->caller;
    struct user_change change = { .name = work->name,
                                  .time_zone = work->time_zone,
                                  .locale = work->locale };
    struct user_key user;
    struct account account;
    if (!user_find_key(db, caller->user, &user) || !account_find(db, caller->account, &account))
        return false;
    work->mailed = false;
    if (work->email != NULL && !text_same(work->email, user.email)) {
        work->mailed = letters_are_sent(db) && job->api->origin != NULL;
        if (work->mailed)
            write_letters(work, db, &user, account.name);
        else
            change.email = work->email;
    }
    account_clear(&account);
    if (change.email != NULL && strcasecmp(change.email, user.email) != 0 &&
        user_email_taken(db, change.email)) {
        problems_add(&job->problems, "Email", "belongs to another user");
        error_set(&job->job.error, ERROR_CONFLICT, "There is a user with this address already.");
        return false;
    }
    audit_add(db, caller, job->call->address, "profile.change", "/Session/Profile",
              profile_detail(work));
    return user_change(db, caller->account, caller->user, &change);
}

static void finish_profile(struct api_job *job)
{
    json_t *answer = json_object();
    show_text(answer, "Status", "OK");
    show_text(answer, "Uri", "/Session");
    show_bool(answer, "Mailed", ((struct profile_work *)job)->mailed);
    call_json_answer(job->call, 200, answer);
}

/* "" takes the value away: the browser's holds. */
static char *form_read(const struct fields *fields, const char *name,
                       const char *(*flaw)(const char *))
{
    if (body_empties(fields->from, name))
        return must_copy("");
    char *given = fields_text(fields, name, 60, 0, NULL);
    const char *wrong = given != NULL ? flaw(given) : NULL;
    if (wrong != NULL)
        problems_add(fields->problems, name, "%s", wrong);
    return given;
}

static void change_profile(struct call *call, void *context)
{
    static const char *const names[] = { "Name", "Email", "TimeZone", "Locale", NULL };
    char token[TOKEN_TEXT];
    json_t *body = session_needed(context, call, token) ? call_object(call) : NULL;
    if (body == NULL)
        return;
    struct profile_work *work =
        api_job_new(sizeof(*work), call, context, run_profile, finish_profile, clear_profile);
    struct fields fields = { .from = body, .problems = &work->api.problems };
    fields_only(&fields, names);
    if (body_empties(body, "Name"))
        problems_add(fields.problems, "Name", "must not be empty");
    work->name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, NULL);
    work->email = body_email(&fields, "Email", NULL);
    work->time_zone = form_read(&fields, "TimeZone", time_zone_flaw);
    work->locale = form_read(&fields, "Locale", locale_flaw);
    json_decref(body);
    if (!api_job_valid(&work->api))
        return;
    /* A letter goes out for an address, and a taken one is told of: so many a minute. */
    if (work->email == NULL ||
        try_count(context, call, 'i', &call->caller.user, sizeof(call->caller.user)))
        api_write(&work->api);
    else
        api_job_drop(&work->api);
}

/* ---- sessions ---- */

struct session_work {
    struct api_job api;
    unsigned char own[TOKEN_HASH_BYTES]; /* of the session that asks; of none: zeroes */
    int64_t user;                        /* whose they are; 0: the path's account's */
    int64_t id;
};

static struct session_work *session_work_new(struct call *call, void *context,
                                             bool (*run)(struct api_job *, struct db *),
                                             void (*finish)(struct api_job *))
{
    struct session_work *work = api_job_new(sizeof(*work), call, context, run, finish, NULL);
    char token[TOKEN_TEXT];
    if (call->caller.user != 0 && session_cookie(context, call, token))
        session_hash(work->own, token);
    sodium_memzero(token, sizeof(token));
    return work;
}

/* NULL: answered. */
static struct session_work *own_work_new(struct call *call, void *context,
                                         bool (*run)(struct api_job *, struct db *),
                                         void (*finish)(struct api_job *))
{
    char token[TOKEN_TEXT];
    if (!session_needed(context, call, token))
        return NULL;
    sodium_memzero(token, sizeof(token));
    struct session_work *work = session_work_new(call, context, run, finish);
    work->user = call->caller.user;
    return work;
}

/* False with an error. */
static bool find_account(struct api_job *job, struct db *db, int64_t *account)
{
    struct account found;
    *account = job->call->caller.account;
    if (((struct session_work *)job)->user != 0)
        return true;
    if (!operator_account(job, db, job->call->params[0], &found))
        return false;
    *account = found.id;
    account_clear(&found);
    return true;
}

static bool run_list(struct api_job *job, struct db *db)
{
    const struct session_work *work = (struct session_work *)job;
    int64_t account;
    if (!find_account(job, db, &account))
        return false;
    job->shown = session_list(db, account, work->user, work->own);
    return true;
}

static void finish_list(struct api_job *job)
{
    call_json_answer(job->call, 200, whole_answer(job->call, "Sessions", json_incref(job->shown)));
}

void people_list_sessions(struct call *call, void *context)
{
    api_read(&session_work_new(call, context, run_list, finish_list)->api);
}

static void list_own(struct call *call, void *context)
{
    struct session_work *work = own_work_new(call, context, run_list, finish_list);
    if (work != NULL)
        api_read(&work->api);
}

static bool run_end(struct api_job *job, struct db *db)
{
    const struct session_work *work = (struct session_work *)job;
    int64_t account;
    if (!find_account(job, db, &account))
        return false;
    if (!session_end_one(db, account, work->user, work->id)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such session.");
        return false;
    }
    if (work->user == 0)
        operator_audit(job, db, "session.end", "Sessions", work->id, NULL);
    else
        audit_add(db, &job->call->caller, job->call->address, "session.end", "/Session/Sessions",
                  NULL);
    return true;
}

static void finish_end(struct api_job *job)
{
    char base[PEOPLE_BASE_TEXT] = "/Session";
    const struct session_work *work = (struct session_work *)job;
    if (work->user == 0)
        people_base(job->call, base);
    call_ok(job->call, "%s/Sessions/%" PRId64, base, work->id);
}

void people_end_session(struct call *call, void *context)
{
    struct session_work *work = session_work_new(call, context, run_end, finish_end);
    work->id = path_id(call, 1);
    api_write(&work->api);
}

static void end_own(struct call *call, void *context)
{
    struct session_work *work = own_work_new(call, context, run_end, finish_end);
    if (work == NULL)
        return;
    work->id = path_id(call, 0);
    api_write(&work->api);
}

static bool run_end_others(struct api_job *job, struct db *db)
{
    const struct session_work *work = (struct session_work *)job;
    sessions_end(db, work->user, work->own);
    audit_add(db, &job->call->caller, job->call->address, "session.end", "/Session/Sessions", NULL);
    return true;
}

static void finish_end_others(struct api_job *job)
{
    call_ok(job->call, "/Session/Sessions");
}

static void end_others(struct call *call, void *context)
{
    struct session_work *work = own_work_new(call, context, run_end_others, finish_end_others);
    if (work != NULL)
        api_write(&work->api);
}
