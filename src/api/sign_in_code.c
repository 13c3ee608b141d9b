/* sign_in_code.c — a ticket and a code become a session, in one job of the writer: the code is
 * taken and the session begun, or neither.  Wrong codes are counted in that job, too
 * (store/factors.h). */
#include "api/second_factor.h"
#include "api/sessions.h"
#include "api/sign_in_ticket.h"
#include "api/tries.h"
#include "model/fields.h"
#include "store/factors.h"
#include "store/sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- the second step ---- */

struct step {
    struct api_job api;
    struct sign_in_ticket ticket;
    char *code;
    struct user_key user;
    enum factor_answer answer;
    char token[TOKEN_TEXT];              /* of the session that begins */
    unsigned char old[TOKEN_HASH_BYTES]; /* that of the browser until now */
    char agent[SESSION_AGENT_TEXT];
};

static void step_clear(struct api_job *job)
{
    struct step *step = (struct step *)job;
    second_factor_wipe(step->code);
    sodium_memzero(step->token, sizeof(step->token));
}

static bool step_run(struct api_job *job, struct db *db)
{
    struct step *step = (struct step *)job;
    const struct caller *caller = &step->user.caller;
    unsigned char hash[TOKEN_HASH_BYTES];

    step->answer = FACTOR_NONE;
    if (!user_find_key(db, step->ticket.user, &step->user) ||
        !sign_in_ticket_fits(&step->ticket, &step->user))
        return true;
    step->answer = factor_take(db, caller->user, step->code);
    if (step->answer == FACTOR_WRONG)
        audit_add(db, caller, job->call->address, "session.refuse", "/Session/Code", NULL);
    if (step->answer != FACTOR_RIGHT)
        return true;
    session_random(step->token);
    session_hash(hash, step->token);
    session_end(db, step->old);
    session_add(db, caller->user, hash, job->call->address, step->agent);
    job->shown = session_show(db, caller->user);
    audit_add(db, caller, job->call->address, "session.begin", "/Session", NULL);
    return true;
}

static void step_finish(struct api_job *job)
{
    struct step *step = (struct step *)job;
    if (step->answer == FACTOR_RIGHT) {
        session_cookie_set(job->api, job->call, step->token);
        try_remember(job->api, job->call, step->user.email, step->user.password_hash);
        session_answer(job->call, step->token, json_incref(job->shown));
    } else if (step->answer == FACTOR_TOO_MANY) {
        second_factor_refuse_more(job->call);
    } else if (step->answer == FACTOR_WRONG) {
        call_refuse(job->call, 401, NULL,
                    "The code is not right, or was used already. Wait for the next one.");
    } else {
        call_refuse(job->call, 401, NULL, "Begin again with your mail address and password.");
    }
}

static void begin_with_code(struct call *call, void *context)
{
    static const char *const names[] = { "Ticket", "Code", NULL };
    struct api *api = context;
    char old[TOKEN_TEXT];

    if (!session_from_our_page(api, call)) {
        call_refuse(call, 403, NULL, "Sign in on the page of this server itself.");
        return;
    }
    if (!call_has_type(call, "application/json")) {
        call_refuse(call, 415, NULL, "Send application/json.");
        return;
    }
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct step *step = api_job_new(sizeof(*step), call, api, step_run, step_finish, step_clear);
    struct fields fields = { .from = body, .problems = &step->api.problems };
    fields_only(&fields, names);
    char *ticket =
        fields_text(&fields, "Ticket", SIGN_IN_TICKET_TEXT - 1, 0, "what the first step gave");
    step->code = second_factor_code(&fields);
    json_decref(body);
    bool open = ticket != NULL && sign_in_ticket_open(&step->ticket, ticket);
    free(ticket);
    session_agent(step->agent, call);
    if (session_cookie(api, call, old))
        session_hash(step->old, old);
    if (!api_job_valid(&step->api))
        return;
    if (open) {
        step->api.job.account = api_stranger(call->address, strlen(call->address));
        api_write(&step->api);
        return;
    }
    call_refuse(call, 401, NULL, "Begin again with your mail address and password.");
    api_job_drop(&step->api);
}

const struct route sign_in_code_routes[] = {
    { .method = "POST",
      .pattern = "/Session/Code",
      .handle = begin_with_code,
      .body_max = 8 * 1024 },
};
const size_t sign_in_code_route_count =
    sizeof(sign_in_code_routes) / sizeof(sign_in_code_routes[0]);
