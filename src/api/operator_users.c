/* operator_users.c — people who sign in to an account, added by the operator, and changed by it or
 * by an ADMIN of the account.
 *
 * A password is hashed before the job that writes it, by passwords.c; what needs no hash is refused
 * before one is made.  A user who is shut out, or whose password is replaced, has no session left
 * when the change is on disk.
 */
#include "api/operator.h"

#include "api/body.h"
#include "api/passwords.h"
#include "base/fail.h"
#include "model/show.h"
#include "store/accounts.h"
#include "store/sessions.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct person {
    struct password_job password;
    struct api *api;
    struct call *call;
    int64_t id;
    char *email, *name;
    enum role role; /* 0: not given */
    bool active_given, active, password_given;
};

struct person_job {
    struct api_job api;
    struct person *person; /* owned, until it is handed on */
};

static void person_free(struct person *person)
{
    if (person == NULL)
        return;
    password_wipe(person->password.password);
    sodium_memzero(person->password.hash, sizeof(person->password.hash));
    free(person->email);
    free(person->name);
    free(person);
}

static void clear_person(struct api_job *job)
{
    person_free(((struct person_job *)job)->person);
}

static struct person *person_of(struct api_job *job)
{
    return ((struct person_job *)job)->person;
}

static struct person_job *person_job_new(struct person *person,
                                         bool (*run)(struct api_job *, struct db *),
                                         void (*finish)(struct api_job *))
{
    struct person_job *job =
        api_job_new(sizeof(*job), person->call, person->api, run, finish, clear_person);
    job->person = person;
    return job;
}

static struct person_job *person_new(struct call *call, void *context,
                                     bool (*run)(struct api_job *, struct db *),
                                     void (*finish)(struct api_job *))
{
    struct person *person = must_alloc(sizeof(*person));
    person->api = context;
    person->call = call;
    return person_job_new(person, run, finish);
}

/* The job's person goes on to have the password hashed, and then to done(). */
static void to_passwords(struct api_job *job,
                         void (*done)(struct password_job *, enum password_answer))
{
    struct person *person = person_of(job);
    ((struct person_job *)job)->person = NULL;
    person->password.make = true;
    person->password.done = done;
    if (passwords_take(person->api->passwords, &person->password))
        return;
    password_refuse(person->call);
    person_free(person);
}

static void hashed(struct person *person, enum password_answer answer,
                   bool (*run)(struct api_job *, struct db *), void (*finish)(struct api_job *))
{
    if (answer == PASSWORD_RIGHT) {
        api_write(&person_job_new(person, run, finish)->api);
        return;
    }
    password_refuse(person->call);
    person_free(person);
}

static enum role read_role(const struct fields *fields, enum role fallback)
{
    char *text = fields_text(fields, "Role", 20, 0, NULL);
    enum role role = fallback;

    if (text != NULL && !role_named(text, &role))
        problems_add(fields->problems, "Role", "must be ADMIN, USER or READ_ONLY");
    free(text);
    return role;
}

/* ---- adding one ---- */

static bool refuse_taken(struct api_job *job)
{
    problems_add(&job->problems, "Email", "belongs to another user");
    error_set(&job->job.error, ERROR_CONFLICT, "There is a user with this mail address already.");
    return false;
}

static bool run_add(struct api_job *job, struct db *db)
{
    struct person *person = person_of(job);
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    person->id =
        user_add(db, account.id, person->email, person->name, person->role, person->password.hash);
    if (person->id == 0) {
        account_clear(&account);
        return refuse_taken(job);
    }
    operator_audit(
        job, db, "user.add", "Users", person->id,
        json_pack("{s:s, s:s}", "Email", person->email, "Role", role_name(person->role)));
    account_clear(&account);
    return true;
}

static void finish_add(struct api_job *job)
{
    const struct person *person = person_of(job);
    json_t *answer = json_object();
    char base[PEOPLE_BASE_TEXT];

    people_base(job->call, base);
    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "%s/Users/%" PRId64, base, person->id);
    show_int(answer, "Id", person->id);
    call_json_answer(job->call, 200, answer);
}

static void hashed_to_add(struct password_job *password, enum password_answer answer)
{
    hashed((struct person *)password, answer, run_add, finish_add);
}

static bool run_may_add(struct api_job *job, struct db *db)
{
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    account_clear(&account);
    return !user_email_taken(db, person_of(job)->email) || refuse_taken(job);
}

static void finish_may_add(struct api_job *job)
{
    to_passwords(job, hashed_to_add);
}

void operator_add_user(struct call *call, void *context)
{
    static const char *const names[] = { "Email", "Name", "Role", "Password", NULL };
    json_t *body = call_object(call);

    if (body == NULL)
        return;
    struct person_job *job = person_new(call, context, run_may_add, finish_may_add);
    struct person *person = job->person;
    struct fields fields = { .from = body, .problems = &job->api.problems };
    fields_only(&fields, names);
    person->email = body_email(&fields, "Email", "what the user signs in with");
    person->name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, "the user's name");
    person->role = read_role(&fields, ROLE_USER);
    person->password.password = password_read(call, body, "Password", true, fields.problems);
    json_decref(body);
    if (api_job_valid(&job->api))
        api_read(&job->api);
}

/* ---- changing one ---- */

static json_t *change_detail(const struct person *person)
{
    json_t *detail = json_object();
    if (person->name != NULL)
        show_text(detail, "Name", person->name);
    if (person->role != 0)
        show_text(detail, "Role", role_name(person->role));
    if (person->active_given)
        show_bool(detail, "Active", person->active);
    if (person->password_given)
        show_text(detail, "Password", "changed");
    return detail;
}

static bool change(struct api_job *job, struct db *db, const struct account *account)
{
    struct person *person = person_of(job);
    struct user_change given = {
        .name = person->name,
        .role = person->role,
        .active_given = person->active_given,
        .active = person->active,
        .password_hash = person->password_given ? person->password.hash : NULL,
    };
    if (person->active_given && !person->active && person->id == job->call->caller.user) {
        error_set(&job->job.error, ERROR_CONFLICT, "You cannot shut yourself out.");
        return false;
    }
    if (user_is_last_admin(db, account->id, person->id, &given)) {
        error_set(&job->job.error, ERROR_CONFLICT,
                  "The account would have no ADMIN: make somebody else one first.");
        return false;
    }
    if (!user_change(db, account->id, person->id, &given)) {
        error_set(&job->job.error, ERROR_NOT_FOUND, "There is no such user.");
        return false;
    }
    if (person->password_given || (person->active_given && !person->active))
        sessions_end(db, person->id, NULL);
    operator_audit(job, db, "user.change", "Users", person->id, change_detail(person));
    return true;
}

static bool run_change(struct api_job *job, struct db *db)
{
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool changed = change(job, db, &account);
    account_clear(&account);
    return changed;
}

static void finish_change(struct api_job *job)
{
    const struct person *person = person_of(job);

    char base[PEOPLE_BASE_TEXT];

    people_base(job->call, base);
    call_ok(job->call, "%s/Users/%" PRId64, base, person->id);
}

static void hashed_to_change(struct password_job *password, enum password_answer answer)
{
    hashed((struct person *)password, answer, run_change, finish_change);
}

void operator_change_user(struct call *call, void *context)
{
    static const char *const names[] = { "Name", "Role", "Active", "Password", NULL };
    static const char *const own_names[] = { "Name", "Role", "Active", NULL };
    bool own = call->caller.kind != ACCOUNT_OPERATOR; /* who gives passwords */
    json_t *body = call_object(call);

    if (body == NULL)
        return;
    struct person_job *job = person_new(call, context, run_change, finish_change);
    struct person *person = job->person;
    struct fields fields = { .from = body, .problems = &job->api.problems };
    fields_only(&fields, own ? own_names : names);
    if (body_empties(body, "Name"))
        problems_add(fields.problems, "Name", "must not be empty");
    person->id = path_id(call, 1);
    person->name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, NULL);
    person->role = read_role(&fields, 0);
    person->active_given = body_bool(&fields, "Active", &person->active);
    person->password_given = !own && json_object_get(body, "Password") != NULL;
    if (person->password_given)
        person->password.password = password_read(call, body, "Password", true, fields.problems);
    json_decref(body);
    if (!api_job_valid(&job->api))
        return;
    if (person->password_given) {
        to_passwords(&job->api, hashed_to_change);
        api_job_drop(&job->api);
    } else {
        api_write(&job->api);
    }
}
