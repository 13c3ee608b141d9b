/* invitations.c — people are invited to an account, and get a link for another password.
 *
 * A link is mailed where this server has a mailer and knows its address; else it is shown, once, to
 * whoever made it.  Whether an address is a user's of another account is not told here: whoever has
 * the mailbox learns it when the link is opened.
 */
#include "api/people.h"

#include "api/body.h"
#include "api/operator.h"
#include "api/tries.h"
#include "base/clock.h"
#include "model/show.h"
#include "store/letters.h"
#include "store/links.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct link_work {
    struct api_job api;
    struct link_row link;
    char token[TOKEN_TEXT];
    bool mailed;
};

static void clear_link(struct api_job *job)
{
    struct link_work *work = (struct link_work *)job;
    sodium_memzero(work->token, sizeof(work->token));
}

static struct link_work *link_work_new(struct call *call, void *context,
                                       bool (*run)(struct api_job *, struct db *),
                                       void (*finish)(struct api_job *))
{
    return api_job_new(sizeof(struct link_work), call, context, run, finish, clear_link);
}

/* A letter goes to somebody with each of these: an account has so many a minute, the operator's own
 * aside. */
static bool may_write(struct call *call, void *context)
{
    int64_t account = call->caller.account;
    return call->caller.kind == ACCOUNT_OPERATOR ||
           try_count(context, call, 'i', &account, sizeof(account));
}

static bool refuse(struct api_job *job, enum error_kind kind, const char *why)
{
    error_set(&job->job.error, kind, "%s", why);
    return false;
}

/* Makes the token anew: in the answer, or in a letter. */
static void link_send(struct link_work *work, struct db *db)
{
    unsigned char hash[TOKEN_HASH_BYTES];
    struct link_row *link = &work->link;
    const char *origin = work->api.api->origin;

    link_random(work->token);
    link_hash(hash, work->token);
    if (link->id == 0)
        link_add(db, link, hash);
    else
        link_renew(db, link, hash);
    work->mailed = letters_are_sent(db) && origin != NULL;
    if (work->mailed)
        link_mail(db, link, origin, work->token);
}

static void finish_link(struct api_job *job)
{
    const struct link_work *work = (struct link_work *)job;
    json_t *answer = json_object();
    char base[PEOPLE_BASE_TEXT];
    bool invites = work->link.kind == LINK_INVITATION;

    people_base(job->call, base);
    show_text(answer, "Status", "OK");
    show_uri(answer, "Uri", "%s/%s/%" PRId64, base, invites ? "Invitations" : "Users",
             invites ? work->link.id : work->link.person);
    if (invites)
        show_int(answer, "Id", work->link.id);
    show_date(answer, "ExpiryDate", work->link.expires_at);
    show_bool(answer, "Mailed", work->mailed);
    if (!work->mailed) {
        struct buf address = { 0 };
        link_address(&address, job->api->origin, work->link.kind, work->token);
        show_text(answer, "Link", buf_text(&address));
        sodium_memzero(address.data, address.len);
        buf_free(&address);
    }
    call_json_answer(job->call, 200, answer);
}

/* ---- inviting ---- */

static bool account_takes(struct api_job *job, struct db *db, int64_t account, const char *email)
{
    struct user_key user;
    bool known = user_find_email(db, email, &user);

    if (known && (user.caller.account == account || job->call->caller.kind == ACCOUNT_OPERATOR)) {
        problems_add(&job->problems, "Email", "belongs to another user");
        return refuse(job, ERROR_CONFLICT, "There is a user with this mail address already.");
    }
    if (link_invites(db, account, email)) {
        problems_add(&job->problems, "Email", "is invited already");
        return refuse(job, ERROR_CONFLICT, "This address is invited already: send it again.");
    }
    if (links_count(db, account, LINK_INVITATION) >= INVITATIONS_MOST)
        return refuse(job, ERROR_CONFLICT,
                      "There are 100 invitations, and can be no more: take some back.");
    if (users_count(db, account) >= USERS_MOST)
        return refuse(job, ERROR_CONFLICT, "There are 1,000 users, and can be no more.");
    return true;
}

static json_t *invitation_detail(const struct link_row *link)
{
    return json_pack("{s:s, s:s}", "Email", link->email, "Role", role_name(link->role));
}

static bool run_invite(struct api_job *job, struct db *db)
{
    struct link_work *work = (struct link_work *)job;
    struct link_row *link = &work->link;
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    link->id = 0;
    link->account = account.id;
    show_cut(link->account_name, sizeof(link->account_name), account.name);
    account_clear(&account);
    if (!account_takes(job, db, link->account, link->email))
        return false;
    link_send(work, db);
    operator_audit(job, db, "invitation.add", "Invitations", link->id, invitation_detail(link));
    return true;
}

void people_invite(struct call *call, void *context)
{
    static const char *const names[] = { "Email", "Name", "Role", NULL };
    json_t *body = call_object(call);

    if (body == NULL)
        return;
    struct link_work *work = link_work_new(call, context, run_invite, finish_link);
    struct fields fields = { .from = body, .problems = &work->api.problems };
    fields_only(&fields, names);
    char *email = body_email(&fields, "Email", "where the invitation goes");
    char *name = fields_text(&fields, "Name", ACCOUNT_NAME_MAX, FIELD_NAME, NULL);
    char *role = fields_text(&fields, "Role", 20, 0, NULL);
    work->link.kind = LINK_INVITATION;
    work->link.role = ROLE_USER;
    if (role != NULL && !role_named(role, &work->link.role))
        problems_add(fields.problems, "Role", "must be ADMIN, USER or READ_ONLY");
    show_cut(work->link.email, sizeof(work->link.email), email != NULL ? email : "");
    show_cut(work->link.name, sizeof(work->link.name), name != NULL ? name : "");
    show_cut(work->link.inviter, sizeof(work->link.inviter), call->caller.name);
    free(email);
    free(name);
    free(role);
    json_decref(body);
    if (!api_job_valid(&work->api))
        return;
    if (may_write(call, context))
        api_write(&work->api);
    else
        api_job_drop(&work->api);
}

/* ---- those that are out ---- */

static bool find_invitation(struct api_job *job, struct db *db, struct link_row *out)
{
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool found = link_find_invitation(db, account.id, path_id(job->call, 1), out);
    account_clear(&account);
    return found || refuse(job, ERROR_NOT_FOUND, "There is no such invitation.");
}

static bool run_again(struct api_job *job, struct db *db)
{
    struct link_work *work = (struct link_work *)job;

    if (!find_invitation(job, db, &work->link))
        return false;
    link_send(work, db);
    operator_audit(job, db, "invitation.resend", "Invitations", work->link.id,
                   invitation_detail(&work->link));
    return true;
}

void people_invite_again(struct call *call, void *context)
{
    if (may_write(call, context))
        api_write(&link_work_new(call, context, run_again, finish_link)->api);
}

static bool run_take_back(struct api_job *job, struct db *db)
{
    struct link_work *work = (struct link_work *)job;

    if (!find_invitation(job, db, &work->link) || !link_take(db, work->link.id))
        return false;
    operator_audit(job, db, "invitation.withdraw", "Invitations", work->link.id,
                   invitation_detail(&work->link));
    return true;
}

static void finish_take_back(struct api_job *job)
{
    char base[PEOPLE_BASE_TEXT];

    people_base(job->call, base);
    call_ok(job->call, "%s/Invitations/%" PRId64, base, ((struct link_work *)job)->link.id);
}

void people_take_back_invitation(struct call *call, void *context)
{
    api_write(&link_work_new(call, context, run_take_back, finish_take_back)->api);
}

static bool run_list(struct api_job *job, struct db *db)
{
    struct account account;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    job->shown = link_list_invitations(db, account.id);
    account_clear(&account);
    return true;
}

static void finish_list(struct api_job *job)
{
    call_json_answer(job->call, 200,
                     whole_answer(job->call, "Invitations", json_incref(job->shown)));
}

void people_list_invitations(struct call *call, void *context)
{
    api_read(&link_work_new(call, context, run_list, finish_list)->api);
}

/* ---- another password ---- */

static bool run_password(struct api_job *job, struct db *db)
{
    struct link_work *work = (struct link_work *)job;
    struct account account;
    struct user_key user;

    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool found =
        user_find_key(db, path_id(job->call, 1), &user) && user.caller.account == account.id;
    if (found) {
        work->link = (struct link_row){ .kind = LINK_PASSWORD,
                                        .account = account.id,
                                        .person = user.caller.user,
                                        .role = ROLE_USER };
        show_cut(work->link.email, sizeof(work->link.email), user.email);
        show_cut(work->link.account_name, sizeof(work->link.account_name), account.name);
    }
    account_clear(&account);
    if (!found)
        return refuse(job, ERROR_NOT_FOUND, "There is no such user who may sign in.");
    links_remove(db, work->link.person, LINK_PASSWORD);
    link_send(work, db);
    operator_audit(job, db, "password.link", "Users", work->link.person, json_object());
    return true;
}

void people_link_password(struct call *call, void *context)
{
    if (may_write(call, context))
        api_write(&link_work_new(call, context, run_password, finish_link)->api);
}
