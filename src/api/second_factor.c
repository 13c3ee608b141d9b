/* second_factor.c — /Session/SecondFactor: a user's own second factor.
 *
 * Setting one up takes two calls: the first makes a secret, a code of it confirms.  Only then codes
 * are asked for, and the user's other sessions end.  To turn it off, or to have new recovery codes,
 * takes the password and a code: the password is compared by passwords.c, counted as any other
 * (tries.h), and then one job of the writer takes the code and does what it is for.
 */
#include "api/second_factor.h"

#include "api/body.h"
#include "api/passwords.h"
#include "api/sessions.h"
#include "api/tries.h"
#include "base/fail.h"
#include "model/show.h"
#include "store/factors.h"
#include "store/sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_MAX = 40 };
static const char HERE[] = "/Session/SecondFactor";

char *second_factor_code(const struct fields *fields)
{
    return fields_text(fields, "Code", CODE_MAX, 0, "a code of six digits, or a recovery code");
}

void second_factor_wipe(char *code)
{
    if (code != NULL)
        sodium_memzero(code, strlen(code));
    free(code);
}

void second_factor_refuse_more(struct call *call)
{
    call_add_header(call, "Retry-After", "3600");
    call_refuse(call, 429, NULL, "Too many wrong codes; wait an hour.");
}

/* ---- a call of a user in a session ---- */

struct mine {
    struct password_job password;
    struct api *api;
    struct call *call;
    char token[TOKEN_TEXT];
    char *code;
    struct try try;
    int tries;
    bool over; /* too many tries over all servers */
    struct user_key user;
    bool (*act)(struct api_job *job, struct db *db); /* once the code is taken */
    const char *action;                              /* for the audit log */
    enum factor_answer answer;
    json_t *shown;
};

struct mine_job {
    struct api_job api;
    struct mine *mine; /* owned, until it is handed on */
};

static void mine_free(struct mine *mine)
{
    if (mine == NULL)
        return;
    password_wipe(mine->password.password);
    second_factor_wipe(mine->code);
    json_decref(mine->shown);
    sodium_memzero(mine, sizeof(*mine));
    free(mine);
}

static struct mine *mine_of(struct api_job *job)
{
    return ((struct mine_job *)job)->mine;
}

static void mine_clear(struct api_job *job)
{
    mine_free(mine_of(job));
}

static struct mine_job *mine_job_new(struct mine *mine, bool (*run)(struct api_job *, struct db *),
                                     void (*finish)(struct api_job *))
{
    struct mine_job *job =
        api_job_new(sizeof(*job), mine->call, mine->api, run, finish, mine_clear);
    job->mine = mine;
    return job;
}

/* NULL: answered, as the call is in no session. */
static struct mine *mine_new(struct call *call, void *context)
{
    char token[TOKEN_TEXT];
    if (call->caller.user == 0 || !session_cookie(context, call, token)) {
        api_challenge(call);
        call_refuse(call, 401, NULL, "This is for sessions: sign in by POST /Session.");
        return NULL;
    }
    struct mine *mine = must_alloc(sizeof(*mine));
    mine->api = context;
    mine->call = call;
    memcpy(mine->token, token, sizeof(token));
    return mine;
}

static void mine_audit(struct api_job *job, struct db *db, const char *action)
{
    audit_add(db, &job->call->caller, job->call->address, action, HERE, NULL);
}

/* ---- showing and setting up ---- */

static bool run_show(struct api_job *job, struct db *db)
{
    job->shown = factor_show(db, job->call->caller.user);
    return job->shown != NULL;
}

static void show(struct call *call, void *context)
{
    struct mine *mine = mine_new(call, context);
    if (mine != NULL)
        api_read(&mine_job_new(mine, run_show, api_job_show)->api);
}

/* What an authenticator shows beside the code: the account, and who signs in. */
static json_t *show_secret(struct api_job *job, struct db *db, const unsigned char *secret)
{
    struct user_key user;
    struct account account;
    struct buf uri = { 0 };
    char text[TOTP_SECRET_TEXT];
    if (!user_find_key(db, job->call->caller.user, &user) ||
        !account_find(db, user.caller.account, &account))
        return NULL;
    totp_uri(&uri, account.name, user.email, secret);
    totp_secret_text(text, secret);
    json_t *shown = json_object();
    show_text(shown, "Status", "OK");
    show_text(shown, "Uri", HERE);
    show_text(shown, "Secret", text);
    show_text(shown, "OtpAuthUri", buf_text(&uri));
    account_clear(&account);
    buf_wipe(&uri);
    sodium_memzero(text, sizeof(text));
    return shown;
}

static bool run_begin(struct api_job *job, struct db *db)
{
    unsigned char secret[TOTP_SECRET_BYTES];
    randombytes_buf(secret, sizeof(secret));
    bool begun = factor_begin(db, job->call->caller.user, secret);
    if (begun)
        job->shown = show_secret(job, db, secret);
    else
        error_set(&job->job.error, ERROR_CONFLICT,
                  "There is a second factor already; turn it off first.");
    sodium_memzero(secret, sizeof(secret));
    if (begun)
        mine_audit(job, db, "second_factor.begin");
    return begun && job->shown != NULL;
}

static void begin(struct call *call, void *context)
{
    struct mine *mine = mine_new(call, context);
    if (mine != NULL)
        api_write(&mine_job_new(mine, run_begin, api_job_show)->api);
}

/* ---- what takes a code ---- */

/* Ten new recovery codes: their hashes on disk, they themselves in the answer alone. */
static json_t *renew_recovery(struct db *db, int64_t user)
{
    unsigned char hashes[RECOVERY_CODES][RECOVERY_HASH_BYTES];
    char code[RECOVERY_CODE_TEXT];
    json_t *codes = json_array();
    for (int i = 0; i < RECOVERY_CODES; i++) {
        recovery_code_random(code);
        recovery_code_hash(hashes[i], code);
        json_array_append_new(codes, json_string(code));
    }
    factor_set_recovery(db, user, hashes);
    sodium_memzero(code, sizeof(code));
    return codes;
}

static bool show_recovery(struct api_job *job, struct db *db)
{
    job->shown = json_object();
    show_text(job->shown, "Status", "OK");
    show_text(job->shown, "Uri", HERE);
    json_object_set_new(job->shown, "RecoveryCodes", renew_recovery(db, job->call->caller.user));
    return true;
}

static bool show_done(struct api_job *job)
{
    job->shown = json_object();
    show_text(job->shown, "Status", "OK");
    show_text(job->shown, "Uri", HERE);
    return true;
}

static bool act_confirm(struct api_job *job, struct db *db)
{
    unsigned char own[TOKEN_HASH_BYTES];
    session_hash(own, mine_of(job)->token);
    sessions_end(db, job->call->caller.user, own); /* they were begun without it */
    return show_recovery(job, db);
}

static bool act_remove(struct api_job *job, struct db *db)
{
    factor_remove(db, job->call->caller.user);
    return show_done(job);
}

static bool run_act(struct api_job *job, struct db *db)
{
    struct mine *mine = mine_of(job);
    int64_t user = job->call->caller.user;
    bool confirms = mine->act == act_confirm;
    mine->answer =
        confirms ? factor_confirm(db, user, mine->code) : factor_take(db, user, mine->code);
    if (mine->answer == FACTOR_WRONG)
        mine_audit(job, db, "second_factor.refuse");
    if (mine->answer != FACTOR_RIGHT)
        return true;
    mine_audit(job, db, mine->action);
    return mine->act(job, db);
}

static void finish_act(struct api_job *job)
{
    const struct mine *mine = mine_of(job);
    struct problems problems = { 0 };
    switch (mine->answer) {
    case FACTOR_RIGHT:
        api_job_show(job);
        break;
    case FACTOR_TOO_MANY:
        second_factor_refuse_more(job->call);
        break;
    case FACTOR_NONE:
        call_refuse(job->call, 409, NULL,
                    mine->act == act_confirm ? "There is none to confirm; begin it first."
                                             : "There is no second factor.");
        break;
    case FACTOR_WRONG:
        problems_add(&problems, "Code", "is not right, or was used already");
        call_refuse(job->call, 400, &problems, "The request is not valid.");
        problems_free(&problems);
    }
}

static void confirm(struct call *call, void *context)
{
    static const char *const names[] = { "Code", NULL };
    struct mine *mine = mine_new(call, context);
    json_t *body = mine != NULL ? call_object(call) : NULL;
    if (body == NULL) {
        mine_free(mine);
        return;
    }
    struct mine_job *job = mine_job_new(mine, run_act, finish_act);
    struct fields fields = { .from = body, .problems = &job->api.problems };
    fields_only(&fields, names);
    mine->code = second_factor_code(&fields);
    mine->act = act_confirm;
    mine->action = "second_factor.confirm";
    json_decref(body);
    if (api_job_valid(&job->api))
        api_write(&job->api);
}

/* ---- what takes the password, too ---- */

static void compared(struct password_job *password, enum password_answer answer)
{
    struct mine *mine = (struct mine *)password;
    if (answer != PASSWORD_WRONG)
        try_forgive(&mine->try, mine->api, mine->call);
    if (answer == PASSWORD_RIGHT) {
        api_write(&mine_job_new(mine, run_act, finish_act)->api);
        return;
    }
    if (answer == PASSWORD_WRONG) {
        struct problems problems = { 0 };
        problems_add(&problems, "Password", "is not the one that you sign in with");
        call_refuse(mine->call, 400, &problems, "The request is not valid.");
        problems_free(&problems);
    } else {
        password_refuse(mine->call);
    }
    mine_free(mine);
}

static bool run_find(struct api_job *job, struct db *db)
{
    struct mine *mine = mine_of(job);
    if (!user_find_key(db, job->call->caller.user, &mine->user))
        return false;
    try_in_session(&mine->try, mine->token);
    mine->over = tries_are_shared(mine->api) &&
                 !try_draw(&mine->try, db, job->call->address, mine->user.password_hash);
    memcpy(mine->password.hash, mine->user.password_hash, sizeof(mine->password.hash));
    return true;
}

static void finish_find(struct api_job *job)
{
    struct mine *mine = mine_of(job);
    ((struct mine_job *)job)->mine = NULL;
    if (mine->over)
        try_refuse(mine->call);
    else
        mine->tries = try_begin_in_session(&mine->try, mine->api, mine->call, mine->token);
    if (mine->tries == 0) {
        mine_free(mine);
        return;
    }
    mine->password.done = compared;
    if (passwords_take(mine->api->passwords, &mine->password))
        return;
    try_forgive(&mine->try, mine->api, mine->call);
    password_refuse(mine->call);
    mine_free(mine);
}

static void with_password(struct call *call, void *context,
                          bool (*act)(struct api_job *, struct db *), const char *action)
{
    static const char *const names[] = { "Password", "Code", NULL };
    struct mine *mine = mine_new(call, context);
    json_t *body = mine != NULL ? call_object(call) : NULL;
    if (body == NULL) {
        mine_free(mine);
        return;
    }
    struct mine_job *job = mine_job_new(mine, run_find, finish_find);
    struct fields fields = { .from = body, .problems = &job->api.problems };
    fields_only(&fields, names);
    mine->code = second_factor_code(&fields);
    mine->password.password = password_read(call, body, "Password", false, fields.problems);
    mine->act = act;
    mine->action = action;
    json_decref(body);
    if (!api_job_valid(&job->api))
        return;
    if (tries_are_shared(mine->api)) /* counting over all servers writes */
        api_write_aside(&job->api);
    else
        api_look_up(&job->api);
}

static void renew(struct call *call, void *context)
{
    with_password(call, context, show_recovery, "second_factor.recovery_codes");
}

static void remove_mine(struct call *call, void *context)
{
    with_password(call, context, act_remove, "second_factor.remove");
}

#define USERS                                                                                      \
    .who = ACCOUNT_PARTNER | ACCOUNT_BRAND | ACCOUNT_OPERATOR, .scopes = SCOPE_API | SCOPE_READ

enum { BODY_MAX = 8 * 1024 };
const struct route second_factor_routes[] = {
    { "GET", "/Session/SecondFactor", show, USERS },
    { "POST", "/Session/SecondFactor", begin, USERS, .body_max = BODY_MAX },
    { "POST", "/Session/SecondFactor/Confirm", confirm, USERS, .body_max = BODY_MAX },
    { "POST", "/Session/SecondFactor/RecoveryCodes", renew, USERS, .body_max = BODY_MAX },
    { "POST", "/Session/SecondFactor/Remove", remove_mine, USERS, .body_max = BODY_MAX },
};
const size_t second_factor_route_count =
    sizeof(second_factor_routes) / sizeof(second_factor_routes[0]);
