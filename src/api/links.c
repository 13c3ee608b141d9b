/* links.c — POST /Session/Forgotten, /Session/Link and /Session/Accept: for whoever is not signed
 * in and has forgotten a password, or has a link (model/link.h).
 *
 * A forgotten password is answered before anybody is looked for, so neither the answer nor its time
 * tells whether the address is known.  A link is looked at by its hash, used once, and signs nobody
 * in: one does that with the password, and a second factor where there is one.
 *
 * Tries are counted by the client's address.
 */
#include "api/api.h"

#include "api/body.h"
#include "api/passwords.h"
#include "api/sessions.h"
#include "api/tries.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/show.h"
#include "store/letters.h"
#include "store/links.h"
#include "store/sessions.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forgotten(struct call *call, void *context);
static void show_link(struct call *call, void *context);
static void accept_link(struct call *call, void *context);

enum { BODY_MOST = 8 * 1024 };

const struct route link_routes[] = {
    { .method = "POST",
      .pattern = "/Session/Forgotten",
      .handle = forgotten,
      .body_max = BODY_MOST },
    { .method = "POST", .pattern = "/Session/Link", .handle = show_link, .body_max = BODY_MOST },
    { .method = "POST",
      .pattern = "/Session/Accept",
      .handle = accept_link,
      .body_max = BODY_MOST },
};
const size_t link_route_count = sizeof(link_routes) / sizeof(link_routes[0]);

/* The body of a call from our own page; NULL: answered.  A form of another site's cannot send JSON.
 */
static json_t *body_read(struct call *call, const struct api *api)
{
    if (!session_from_our_page(api, call)) {
        call_refuse(call, 403, NULL, "Do this on the page of this server itself%s%s.",
                    api->origin != NULL ? ", " : "", api->origin != NULL ? api->origin : "");
        return NULL;
    }
    if (!call_has_type(call, "application/json")) {
        call_refuse(call, 415, NULL, "Send application/json.");
        return NULL;
    }
    return call_object(call);
}

/* ---- a forgotten password ---- */

struct forgotten {
    struct job job;
    struct api *api;
    char email[USER_EMAIL_TEXT], address[64];
};

static void write_letter(struct db *db, const struct api *api, struct link_row *link)
{
    char token[TOKEN_TEXT];
    unsigned char hash[TOKEN_HASH_BYTES];
    link_random(token);
    link_hash(hash, token);
    link_add(db, link, hash);
    link_mail(db, link, api->origin, token);
    sodium_memzero(token, sizeof(token));
}

static bool run_forgotten(struct job *job, struct db *db)
{
    struct forgotten *work = (struct forgotten *)job;
    struct user_key user;
    struct account account;
    int64_t again = db_now(db) - LINK_AGAIN_MS;

    if (!user_find_email(db, work->email, &user) || !letters_are_sent(db) ||
        work->api->origin == NULL || link_sent_since(db, user.caller.user, LINK_PASSWORD, again) ||
        !account_find(db, user.caller.account, &account))
        return true;
    struct link_row link = {
        .kind = LINK_PASSWORD, .account = account.id, .person = user.caller.user, .role = ROLE_USER
    };
    show_cut(link.email, sizeof(link.email), user.email);
    show_cut(link.account_name, sizeof(link.account_name), account.name);
    account_clear(&account);
    links_remove(db, link.person, LINK_PASSWORD);
    write_letter(db, work->api, &link);
    audit_add(db, &user.caller, work->address, "password.forget", "/Session/Forgotten", NULL);
    return true;
}

static void forgotten_done(struct job *job, bool ok)
{
    (void)ok; /* then one asks again */
    free(job);
}

static void forgotten(struct call *call, void *context)
{
    static const char *const names[] = { "Email", NULL };
    struct api *api = context;
    json_t *body = body_read(call, api);
    struct problems problems = { 0 };
    struct fields fields = { .from = body, .problems = &problems };

    if (body == NULL)
        return;
    fields_only(&fields, names);
    char *email = fields_text(&fields, "Email", USER_EMAIL_TEXT - 1, 0, "a mail address");
    json_decref(body);
    if (problems.count > 0) {
        call_refuse(call, 400, &problems, "The request is not valid.");
    } else if (try_count_client(api, call, 'f')) {
        struct forgotten *work = must_alloc(sizeof(*work));
        work->job.run = run_forgotten;
        work->job.done = forgotten_done;
        work->api = api;
        show_cut(work->email, sizeof(work->email), email);
        show_cut(work->address, sizeof(work->address), call->address);
        call_ok(call, "/Session");
        store_write(api->store, &work->job);
    }
    free(email);
    problems_free(&problems);
}

/* ---- a link ---- */

struct opening {
    struct password_job password;
    struct api *api;
    struct call *call;
    unsigned char hash[TOKEN_HASH_BYTES];
    struct link_row link;
    char *name;
    bool password_given;
};

struct opening_job {
    struct api_job api;
    struct opening *opening; /* owned, until it is handed on */
};

static void opening_free(struct opening *opening)
{
    if (opening == NULL)
        return;
    password_wipe(opening->password.password);
    free(opening->name);
    sodium_memzero(opening, sizeof(*opening));
    free(opening);
}

static void clear_opening(struct api_job *job)
{
    opening_free(((struct opening_job *)job)->opening);
}

static struct opening *opening_of(struct api_job *job)
{
    return ((struct opening_job *)job)->opening;
}

static struct opening_job *opening_job_new(struct opening *opening,
                                           bool (*run)(struct api_job *, struct db *),
                                           void (*finish)(struct api_job *))
{
    struct opening_job *job =
        api_job_new(sizeof(*job), opening->call, opening->api, run, finish, clear_opening);
    job->opening = opening;
    return job;
}

static bool find_link(struct api_job *job, struct db *db)
{
    struct opening *opening = opening_of(job);
    if (link_find(db, opening->hash, &opening->link))
        return true;
    error_set(&job->job.error, ERROR_NOT_FOUND,
              "This link is not good, or not any more: it was used, it has expired, or a newer one "
              "was sent.");
    return false;
}

/* Reads Link into the job's opening; a token of another form is nobody's. */
static struct opening_job *opening_new(struct call *call, struct api *api, json_t *body,
                                       const char *const *names,
                                       bool (*run)(struct api_job *, struct db *),
                                       void (*finish)(struct api_job *))
{
    struct opening *opening = must_alloc(sizeof(*opening));
    opening->api = api;
    opening->call = call;
    struct opening_job *job = opening_job_new(opening, run, finish);
    struct fields fields = { .from = body, .problems = &job->api.problems };
    fields_only(&fields, names);
    char *token = fields_text(&fields, "Link", TOKEN_TEXT - 1, 0, "what stands behind the '#'");
    link_hash(opening->hash, token != NULL ? token : "");
    if (token != NULL)
        sodium_memzero(token, strlen(token));
    free(token);
    return job;
}

static void finish_show(struct api_job *job)
{
    const struct link_row *link = &opening_of(job)->link;
    json_t *answer = json_object();
    try_uncount_client(job->api, job->call, 'l');
    show_text(answer, "Kind", link_kind_name(link->kind));
    show_text(answer, "AccountName", link->account_name);
    show_text(answer, "Email", link->email);
    show_text(answer, "Name", link->name);
    show_date(answer, "ExpiryDate", link->expires_at);
    call_json_answer(job->call, 200, answer);
}

static void show_link(struct call *call, void *context)
{
    static const char *const names[] = { "Link", NULL };
    json_t *body = body_read(call, context);
    if (body == NULL)
        return;
    struct opening_job *job = opening_new(call, context, body, names, find_link, finish_show);
    json_decref(body);
    if (!api_job_valid(&job->api))
        return;
    if (try_count_client(context, call, 'l'))
        api_look_up(&job->api);
    else
        api_job_drop(&job->api);
}

/* ---- using it ---- */

static bool refuse_taken(struct api_job *job)
{
    problems_add(&job->problems, "Email", "signs in already");
    error_set(&job->job.error, ERROR_CONFLICT,
              "This mail address signs in already: ask for a link to another one.");
    return false;
}

static bool accept_invitation(struct api_job *job, struct db *db, struct caller *caller)
{
    const struct opening *opening = opening_of(job);
    const struct link_row *link = &opening->link;
    if (users_count(db, link->account) >= USERS_MOST) {
        error_set(&job->job.error, ERROR_CONFLICT, "The account has no room for a further user.");
        return false;
    }
    int64_t user =
        user_add(db, link->account, link->email, opening->name, link->role, opening->password.hash);
    if (user == 0)
        return refuse_taken(job);
    *caller = (struct caller){ .account = link->account, .user = user };
    show_cut(caller->name, sizeof(caller->name), opening->name);
    return true;
}

static bool accept_for_person(struct api_job *job, struct db *db, struct caller *caller)
{
    const struct opening *opening = opening_of(job);
    const struct link_row *link = &opening->link;
    bool mail = link->kind == LINK_EMAIL;
    struct user_change change = { .email = mail ? link->email : NULL,
                                  .password_hash = mail ? NULL : opening->password.hash };
    struct user_key user;
    if (!user_find_key(db, link->person, &user))
        return false;
    if (mail && !text_same(user.email, link->email) && user_email_taken(db, link->email))
        return refuse_taken(job);
    *caller = user.caller;
    if (!user_change(db, link->account, link->person, &change))
        return false;
    if (!mail)
        sessions_end(db, link->person, NULL);
    return true;
}

static bool run_accept(struct api_job *job, struct db *db)
{
    static const char *const actions[] = { [LINK_INVITATION] = "invitation.accept",
                                           [LINK_PASSWORD] = "password.reset",
                                           [LINK_EMAIL] = "email.change" };
    struct caller caller;
    if (!find_link(job, db))
        return false;
    const struct link_row *link = &opening_of(job)->link;
    if (!link_take(db, link->id)) { /* another server's was first */
        error_set(&job->job.error, ERROR_NOT_FOUND, "This link was used.");
        return false;
    }
    bool accepted = link->kind == LINK_INVITATION ? accept_invitation(job, db, &caller)
                                                  : accept_for_person(job, db, &caller);
    if (accepted)
        audit_add(db, &caller, job->call->address, actions[link->kind], "/Session/Accept",
                  json_pack("{s:s}", "Email", link->email));
    return accepted;
}

static void finish_accept(struct api_job *job)
{
    call_ok(job->call, "/Session");
}

static void password_made(struct password_job *password, enum password_answer answer)
{
    struct opening *opening = (struct opening *)password;
    if (answer == PASSWORD_RIGHT) {
        api_write(&opening_job_new(opening, run_accept, finish_accept)->api);
        return;
    }
    password_refuse(opening->call);
    opening_free(opening);
}

static void refuse_missing(struct opening *opening)
{
    struct problems problems = { 0 };
    if (!opening->password_given)
        problems_add(&problems, "Password", "is required: at least 12 characters");
    if (opening->name == NULL)
        problems_add(&problems, "Name", "is required: your name");
    call_refuse(opening->call, 400, &problems, "The request is not valid.");
    problems_free(&problems);
    opening_free(opening);
}

/* No hash is made for a link that is none: it takes a tenth of a second. */
static void finish_look(struct api_job *job)
{
    struct opening *opening = opening_of(job);
    enum link_kind kind = opening->link.kind;
    try_uncount_client(job->api, job->call, 'l');
    ((struct opening_job *)job)->opening = NULL;
    if (kind == LINK_INVITATION && opening->name == NULL && opening->link.name[0] != '\0')
        opening->name = must_copy(opening->link.name);
    if (kind == LINK_EMAIL) {
        api_write(&opening_job_new(opening, run_accept, finish_accept)->api);
    } else if (!opening->password_given || (kind == LINK_INVITATION && opening->name == NULL)) {
        if (kind == LINK_PASSWORD && opening->name == NULL)
            opening->name = must_copy("");
        refuse_missing(opening);
    } else {
        opening->password.make = true;
        opening->password.done = password_made;
        if (passwords_take(opening->api->passwords, &opening->password))
            return;
        password_refuse(opening->call);
        opening_free(opening);
    }
}

static void accept_link(struct call *call, void *context)
{
    static const char *const names[] = { "Link", "Name", "Password", NULL };
    json_t *body = body_read(call, context);
    if (body == NULL)
        return;
    struct opening_job *job = opening_new(call, context, body, names, find_link, finish_look);
    struct opening *opening = job->opening;
    struct fields fields = { .from = body, .problems = &job->api.problems };
    opening->name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, NULL);
    opening->password_given = json_object_get(body, "Password") != NULL;
    if (opening->password_given)
        opening->password.password = password_read(call, body, "Password", true, fields.problems);
    json_decref(body);
    if (!api_job_valid(&job->api))
        return;
    if (try_count_client(context, call, 'l'))
        api_look_up(&job->api);
    else
        api_job_drop(&job->api);
}
