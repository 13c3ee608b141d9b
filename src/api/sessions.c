/* sessions.c — POST, GET, DELETE /Session, and PUT /Session/Password.
 *
 * Signing in goes through three hands: a reader finds the user, passwords.c compares, the writer
 * begins the session, if the password is still that one; changing it goes the same way.  Nothing
 * tells an unknown user from a wrong password: the same answer after the same work.  Tries
 * are counted by tries.h.
 */
#include "api/sessions.h"

#include "api/body.h"
#include "api/passwords.h"
#include "api/sign_in_ticket.h"
#include "api/tries.h"
#include "base/cidr.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/text.h"
#include "model/url.h"
#include "store/factors.h"
#include "store/sessions.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void begin(struct call *call, void *context);
static void show(struct call *call, void *context);
static void end(struct call *call, void *context);
static void change_password(struct call *call, void *context);

#define USERS                                                                                      \
    .who = ACCOUNT_PARTNER | ACCOUNT_BRAND | ACCOUNT_OPERATOR, .scopes = SCOPE_API | SCOPE_READ

const struct route session_routes[] = {
    { .method = "POST", .pattern = "/Session", .handle = begin, .body_max = 8 * 1024 },
    { "GET", "/Session", show, USERS },
    { "DELETE", "/Session", end, USERS },
    { "PUT", "/Session/Password", change_password, USERS, .body_max = 8 * 1024 },
};
const size_t session_route_count = sizeof(session_routes) / sizeof(session_routes[0]);

/* With https the prefix has the browser take it only from here, for all paths and no other host. */
static const char *cookie_name(const struct api *api)
{
    return api_is_secure(api) ? "__Host-postbackd_session" : "postbackd_session";
}

/* ---- the cookie, and where calls come from ---- */

bool session_cookie(const struct api *api, const struct call *call, char token[TOKEN_TEXT])
{
    return call_cookie(call, cookie_name(api), token, TOKEN_TEXT) && text_starts(token, "pbs_");
}

bool session_may_change(const struct call *call, const char *token)
{
    char proof[TOKEN_TEXT] = { 0 };
    const char *given = call_header(call, "X-CSRF-Token");
    if (strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0)
        return true;
    session_csrf(proof, token);
    size_t len = strlen(proof);
    return given != NULL && strlen(given) == len && sodium_memcmp(given, proof, len) == 0;
}

bool sessions_public_url(struct api *api, const char *url, struct error *error)
{
    struct problems problems = { 0 };
    struct url_parts parts = { 0 };
    struct buf origin = { 0 };
    size_t target_at = 0;

    if (url == NULL)
        return true;
    bool good = url_check(url, &parts, &target_at, "public-url", &problems);
    if (good)
        url_origin(&origin, &parts);
    good = good && (url[target_at] == '\0' || strcmp(url + target_at, "/") == 0);
    if (good)
        api->origin = must_copy(buf_text(&origin));
    else
        error_set(error, ERROR_INVALID,
                  "--public-url \"%.100s\" is not like https://postbacks.example.com", url);
    free(parts.host);
    buf_free(&origin);
    problems_free(&problems);
    return good;
}

/* An address as such, or the machine's own name for itself: no name that somebody could have made
 * to lead here. */
static bool is_literal(const char *host)
{
    struct address address;
    char name[ADDRESS_TEXT];
    bool bracketed = host[0] == '[';
    size_t len = strcspn(host + bracketed, bracketed ? "]" : ":");
    if (len >= sizeof(name))
        return false;
    memcpy(name, host + bracketed, len);
    name[len] = '\0';
    return address_parse(name, &address) || text_same(name, "localhost");
}

/* Whether the header Host has the public address's, its port given or not. */
static bool is_public_host(const struct api *api, const char *host)
{
    const char *ours = strstr(api->origin, "://") + 3;
    const char *port = api_is_secure(api) ? ":443" : ":80";
    size_t len = strlen(ours);
    return strncasecmp(host, ours, len) == 0 &&
           (host[len] == '\0' || strcmp(host + len, port) == 0);
}

/* What says neither where it comes from is no browser. */
static bool is_for_public_host(const struct api *api, const struct call *call, bool browser)
{
    const char *host = call_header(call, "Host"), *origin = call_header(call, "Origin");
    if (origin != NULL)
        return text_same(origin, api->origin);
    return host == NULL || is_public_host(api, host) || (!browser && is_literal(host));
}

/* A browser says where a call comes from by Sec-Fetch-Site, an old one by Origin. */
bool session_from_our_page(const struct api *api, const struct call *call)
{
    const char *site = call_header(call, "Sec-Fetch-Site"), *origin = call_header(call, "Origin");
    const char *host = call_header(call, "Host");
    if (site != NULL && strcmp(site, "same-origin") != 0)
        return false;
    if (api->origin != NULL)
        return is_for_public_host(api, call, site != NULL);
    if (site != NULL || origin == NULL)
        return true;
    const char *authority = strstr(origin, "://");
    return authority != NULL && host != NULL && text_same(authority + 3, host);
}

void session_cookie_set(const struct api *api, struct call *call, const char *token)
{
    char text[160];
    snprintf(text, sizeof(text), "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", cookie_name(api),
             token, api_is_secure(api) ? "; Secure" : "", *token == '\0' ? "; Max-Age=0" : "");
    call_add_header(call, "Set-Cookie", text);
    sodium_memzero(text, sizeof(text));
}

/* ---- a visit: what goes from hand to hand ---- */

struct visit {
    struct password_job password;
    struct api *api;
    struct call *call;
    char email[USER_EMAIL_TEXT];
    struct try try;
    int tries;                           /* so many with this one */
    bool needs_code;                     /* the password is right, and not enough */
    bool over;                           /* too many over all servers */
    struct user_key user;                /* as found; user.caller.user 0: none */
    char token[TOKEN_TEXT];              /* of the session that begins */
    char agent[SESSION_AGENT_TEXT];      /* the browser, as it names itself */
    unsigned char old[TOKEN_HASH_BYTES]; /* that of the browser until now */
    char *fresh;                         /* the new password */
    json_t *shown;
};

static void visit_free(struct visit *visit)
{
    if (visit == NULL)
        return;
    password_wipe(visit->password.password);
    password_wipe(visit->fresh);
    json_decref(visit->shown);
    sodium_memzero(visit, sizeof(*visit));
    free(visit);
}

struct visit_job {
    struct api_job api;
    struct visit *visit; /* owned, until it is handed on */
};

static void clear_visit(struct api_job *job)
{
    visit_free(((struct visit_job *)job)->visit);
}

static struct visit_job *visit_job_new(struct visit *visit,
                                       bool (*run)(struct api_job *, struct db *),
                                       void (*finish)(struct api_job *))
{
    struct visit_job *job =
        api_job_new(sizeof(*job), visit->call, visit->api, run, finish, clear_visit);
    job->visit = visit;
    return job;
}

static struct visit *visit_of(struct api_job *job)
{
    return ((struct visit_job *)job)->visit;
}

static struct visit *visit_handed_on(struct api_job *job)
{
    struct visit *visit = visit_of(job);
    ((struct visit_job *)job)->visit = NULL;
    return visit;
}

static void visit_to_passwords(struct visit *visit,
                               void (*done)(struct password_job *, enum password_answer))
{
    visit->password.done = done;
    if (passwords_take(visit->api->passwords, &visit->password))
        return;
    try_forgive(&visit->try, visit->api, visit->call);
    password_refuse(visit->call);
    visit_free(visit);
}

/* A refused try of a user stands in the audit log, but guessing does not fill it: of a minute's
 * tries only the first and the last that was let through. */
struct refusal {
    struct job job;
    struct caller caller;
    char address[64];
    const char *action, *object;
};

static bool run_refusal(struct job *job, struct db *db)
{
    const struct refusal *refusal = (struct refusal *)job;
    audit_add(db, &refusal->caller, refusal->address, refusal->action, refusal->object, NULL);
    return true;
}

static void refusal_done(struct job *job, bool ok)
{
    (void)ok;
    free(job);
}

static void note_wrong(const struct visit *visit, const char *action, const char *object)
{
    const char *address = visit->call->address;
    log_info("password_refused", LOG_T("address", address), LOG_T("object", object));
    if (visit->user.caller.user == 0 || (visit->tries != 1 && visit->tries != LIMITS_GUESSES_MAX))
        return;
    struct refusal *refusal = must_alloc(sizeof(*refusal));
    refusal->job.run = run_refusal;
    refusal->job.done = refusal_done;
    refusal->caller = visit->user.caller;
    refusal->action = action;
    refusal->object = object;
    snprintf(refusal->address, sizeof(refusal->address), "%s", address);
    store_write(visit->api->store, &refusal->job);
}

/* Whether the password that was compared is the user's still; with *error if not. */
static bool password_stands(struct api_job *job, struct db *db)
{
    const struct user_key *compared = &visit_of(job)->user;
    struct user_key now;
    bool stands = user_find_key(db, compared->caller.user, &now) &&
                  strcmp(now.password_hash, compared->password_hash) == 0;
    if (!stands)
        error_set(&job->job.error, ERROR_CONFLICT, "The user was changed meanwhile; try again.");
    return stands;
}

/* ---- signing in ---- */

static bool run_begin(struct api_job *job, struct db *db)
{
    struct visit *visit = visit_of(job);
    const struct caller *caller = &visit->user.caller;
    unsigned char hash[TOKEN_HASH_BYTES];

    if (!password_stands(job, db))
        return false;
    visit->needs_code = factor_is_on(db, caller->user);
    if (visit->needs_code)
        return true;
    session_random(visit->token);
    session_hash(hash, visit->token);
    session_end(db, visit->old);
    session_add(db, caller->user, hash, visit->call->address, visit->agent);
    json_decref(visit->shown);
    visit->shown = session_show(db, caller->user);
    audit_add(db, caller, visit->call->address, "session.begin", "/Session", NULL);
    return true;
}

void session_answer(struct call *call, const char *token, json_t *shown)
{
    char proof[TOKEN_TEXT];
    session_csrf(proof, token);
    json_object_set_new(shown, "CsrfToken", json_string(proof));
    call_json_answer(call, 200, shown);
}

static void finish_begin(struct api_job *job)
{
    struct visit *visit = visit_of(job);
    if (visit->needs_code) {
        sign_in_ask_code(job->call, &visit->user);
        return;
    }
    session_cookie_set(job->api, job->call, visit->token);
    try_remember(job->api, job->call, visit->user.email, visit->user.password_hash);
    session_answer(job->call, visit->token, visit->shown);
    visit->shown = NULL;
}

static void password_compared(struct password_job *password, enum password_answer answer)
{
    struct visit *visit = (struct visit *)password;
    if (answer != PASSWORD_WRONG)
        try_forgive(&visit->try, visit->api, visit->call);
    if (answer == PASSWORD_RIGHT) {
        api_write(&visit_job_new(visit, run_begin, finish_begin)->api);
        return;
    }
    if (answer == PASSWORD_WRONG) {
        note_wrong(visit, "session.refuse", "/Session");
        call_refuse(visit->call, 401, NULL,
                    "The mail address and the password do not belong together.");
    } else {
        password_refuse(visit->call);
    }
    visit_free(visit);
}

/* Over all servers, once it is known whose password it is. */
static void count(struct visit *visit, struct db *db)
{
    visit->over = tries_are_shared(visit->api) &&
                  !try_draw(&visit->try, db, visit->call->address, visit->user.password_hash);
}

static bool run_find(struct api_job *job, struct db *db)
{
    struct visit *visit = visit_of(job);
    user_find_email(db, visit->email, &visit->user); /* none: compared with nobody's all the same */
    count(visit, db);
    memcpy(visit->password.hash, visit->user.password_hash, sizeof(visit->password.hash));
    return true;
}

/* True: refused, and gone. */
static bool is_over(struct visit *visit)
{
    bool over = visit->over;
    if (over) {
        try_refuse(visit->call);
        visit_free(visit);
    }
    return over;
}

/* Counting over all servers writes: then it is done beside other writes. */
static void find(struct visit_job *job)
{
    if (tries_are_shared(job->api.api))
        api_write_aside(&job->api);
    else
        api_look_up(&job->api);
}

static void finish_find(struct api_job *job)
{
    struct visit *visit = visit_handed_on(job);
    if (is_over(visit))
        return;
    try_check(&visit->try, visit->api, visit->call, visit->user.password_hash, &visit->tries);
    if (visit->tries == 0)
        visit_free(visit);
    else
        visit_to_passwords(visit, password_compared);
}

void session_agent(char out[SESSION_AGENT_TEXT], const struct call *call)
{
    const char *given = call_header(call, "User-Agent");
    size_t len = 0;
    for (; given != NULL && *given != '\0' && len < SESSION_AGENT_TEXT - 1; given++) {
        if (*given >= ' ' && *given <= '~')
            out[len++] = *given;
    }
    out[len] = '\0';
}

static void begin(struct call *call, void *context)
{
    static const char *const names[] = { "Email", "Password", NULL };
    struct api *api = context;
    char old[TOKEN_TEXT];

    if (!session_from_our_page(api, call)) {
        call_refuse(call, 403, NULL, "Sign in on the page of this server itself%s%s.",
                    api->origin != NULL ? ", " : "", api->origin != NULL ? api->origin : "");
        return;
    }
    if (!call_has_type(call, "application/json")) { /* a form of another site's cannot send it */
        call_refuse(call, 415, NULL, "Send application/json.");
        return;
    }
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct visit *visit = must_alloc(sizeof(*visit));
    visit->api = api;
    visit->call = call;
    struct visit_job *job = visit_job_new(visit, run_find, finish_find);
    struct fields fields = { .from = body, .problems = &job->api.problems };
    fields_only(&fields, names);
    char *email = fields_text(&fields, "Email", USER_EMAIL_TEXT - 1, 0, "a mail address");
    snprintf(visit->email, sizeof(visit->email), "%s", email != NULL ? email : "");
    free(email);
    visit->password.password = password_read(call, body, "Password", false, fields.problems);
    json_decref(body);
    session_agent(visit->agent, call);
    if (session_cookie(api, call, old))
        session_hash(visit->old, old);
    if (!api_job_valid(&job->api))
        return;
    visit->tries = try_begin(&visit->try, api, call, visit->email);
    if (visit->tries == 0)
        api_job_drop(&job->api);
    else
        find(job);
}

/* ---- who is signed in ---- */

/* HTTP Basic is no session. */
bool session_needed(const struct api *api, struct call *call, char token[TOKEN_TEXT])
{
    if (call->caller.user != 0 && session_cookie(api, call, token))
        return true;
    api_challenge(call);
    call_refuse(call, 401, NULL, "This is for sessions: sign in by POST /Session.");
    return false;
}

static bool run_show(struct api_job *job, struct db *db)
{
    struct visit *visit = visit_of(job);
    visit->shown = session_show(db, job->call->caller.user);
    return visit->shown != NULL;
}

static void finish_show(struct api_job *job)
{
    struct visit *visit = visit_of(job);
    session_answer(job->call, visit->token, visit->shown);
    visit->shown = NULL;
}

/* NULL: answered. */
static struct visit *visit_new(struct call *call, void *context)
{
    struct visit *visit = must_alloc(sizeof(*visit));
    visit->api = context;
    visit->call = call;
    if (session_needed(context, call, visit->token))
        return visit;
    visit_free(visit);
    return NULL;
}

static void show(struct call *call, void *context)
{
    struct visit *visit = visit_new(call, context);
    if (visit != NULL)
        api_read(&visit_job_new(visit, run_show, finish_show)->api);
}

/* ---- signing out ---- */

static bool run_end(struct api_job *job, struct db *db)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    session_hash(hash, visit_of(job)->token);
    session_end(db, hash);
    audit_add(db, &job->call->caller, job->call->address, "session.end", "/Session", NULL);
    return true;
}

static void finish_end(struct api_job *job)
{
    session_cookie_set(job->api, job->call, "");
    call_ok(job->call, "/Session");
}

static void end(struct call *call, void *context)
{
    struct visit *visit = visit_new(call, context);
    if (visit != NULL)
        api_write(&visit_job_new(visit, run_end, finish_end)->api);
}

/* ---- another password ---- */

static bool run_change(struct api_job *job, struct db *db)
{
    struct visit *visit = visit_of(job);
    const struct caller *caller = &job->call->caller;
    unsigned char own[TOKEN_HASH_BYTES];
    struct user_change change = { .password_hash = visit->password.hash };

    session_hash(own, visit->token);
    if (!password_stands(job, db) || !user_change(db, caller->account, caller->user, &change))
        return false;
    sessions_end(db, caller->user, own);
    audit_add(db, caller, job->call->address, "password.change", "/Session/Password", NULL);
    return true;
}

static void finish_change(struct api_job *job)
{
    struct visit *visit = visit_of(job);
    try_remember(job->api, job->call, visit->email, visit->password.hash);
    call_ok(job->call, "/Session");
}

static void password_made(struct password_job *password, enum password_answer answer)
{
    struct visit *visit = (struct visit *)password;
    if (answer == PASSWORD_RIGHT) {
        api_write(&visit_job_new(visit, run_change, finish_change)->api);
        return;
    }
    password_refuse(visit->call);
    visit_free(visit);
}

static void old_compared(struct password_job *password, enum password_answer answer)
{
    struct visit *visit = (struct visit *)password;
    if (answer != PASSWORD_WRONG)
        try_forgive(&visit->try, visit->api, visit->call);
    if (answer == PASSWORD_RIGHT) {
        password->password = visit->fresh;
        visit->fresh = NULL;
        password->make = true;
        password->done = password_made;
        if (passwords_take(visit->api->passwords, password))
            return;
    }
    if (answer == PASSWORD_WRONG) {
        struct problems problems = { 0 };
        note_wrong(visit, "password.refuse", "/Session/Password");
        problems_add(&problems, "Password", "is not the one that you sign in with");
        call_refuse(visit->call, 400, &problems, "The request is not valid.");
        problems_free(&problems);
    } else {
        password_refuse(visit->call);
    }
    visit_free(visit);
}

static bool run_find_own(struct api_job *job, struct db *db)
{
    struct visit *visit = visit_of(job);
    if (!user_find_key(db, job->call->caller.user, &visit->user))
        return false;
    try_in_session(&visit->try, visit->token);
    count(visit, db);
    memcpy(visit->email, visit->user.email, sizeof(visit->email));
    memcpy(visit->password.hash, visit->user.password_hash, sizeof(visit->password.hash));
    return true;
}

static void finish_find_own(struct api_job *job)
{
    struct visit *visit = visit_handed_on(job);
    if (is_over(visit))
        return;
    visit->tries = try_begin_in_session(&visit->try, visit->api, visit->call, visit->token);
    if (visit->tries == 0)
        visit_free(visit);
    else
        visit_to_passwords(visit, old_compared);
}

static void change_password(struct call *call, void *context)
{
    static const char *const names[] = { "Password", "NewPassword", NULL };
    struct visit *visit = visit_new(call, context);
    json_t *body = visit != NULL ? call_object(call) : NULL;

    if (body == NULL) {
        visit_free(visit);
        return;
    }
    struct visit_job *job = visit_job_new(visit, run_find_own, finish_find_own);
    struct fields fields = { .from = body, .problems = &job->api.problems };
    fields_only(&fields, names);
    visit->password.password = password_read(call, body, "Password", false, fields.problems);
    visit->fresh = password_read(call, body, "NewPassword", true, fields.problems);
    json_decref(body);
    if (api_job_valid(&job->api))
        find(job);
}
