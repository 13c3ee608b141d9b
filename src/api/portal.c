/* portal.c — POST /Operator/Accounts/{Account}/PortalSessions, and POST /Portal, which exchanges.
 *
 * The code is in the address's fragment, which a browser sends to nobody: not to us, not to a log,
 * not as a Referer.  The page sends it once in a body, and takes it out of its address.
 */
#include "api/portal.h"

#include "api/body.h"
#include "api/operator.h"
#include "api/sessions.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/show.h"
#include "model/url.h"
#include "store/accounts.h"
#include "store/guests.h"

#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the origins ---- */

/* A scheme, a host and a port, of letters that mean nothing in a policy. */
static bool is_origin(const char *text)
{
    struct problems problems = { 0 };
    struct url_parts parts = { 0 };
    size_t target_at = 0;
    bool plain = text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-.:/[]")] == '\0';
    bool good = plain && url_check(text, &parts, &target_at, "portal-origin", &problems) &&
                text[target_at] == '\0';
    bool own = text_starts(text, "http://localhost") || text_starts(text, "http://127.0.0.1");
    good = good && (text_starts(text, "https://") || own);
    free(parts.host);
    problems_free(&problems);
    return good;
}

bool portal_origins(struct api *api, const char *const *origins, size_t count, struct error *error)
{
    struct buf all = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (!is_origin(origins[i])) {
            error_set(error, ERROR_INVALID,
                      "--portal-origin \"%.100s\" is not like https://shop.example.com",
                      origins[i]);
            buf_free(&all);
            return false;
        }
        buf_fmt(&all, "%s%s", i > 0 ? " " : "", origins[i]);
    }
    api->portal_ancestors = count > 0 ? must_copy(buf_text(&all)) : NULL;
    buf_free(&all);
    return true;
}

const char *portal_ancestors(const struct api *api)
{
    return api->portal_ancestors;
}

/* ---- how it looks ---- */

static double light_of(const char *hex)
{
    char digits[3] = { hex[0], hex[1], '\0' };
    double part = (double)strtoul(digits, NULL, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
}

/* On white it must be read, and white on it (WCAG 2.2 §1.4.3: a contrast of 4.5). */
static const char *color_flaw(const char *color)
{
    if (strlen(color) != 7 || color[0] != '#' ||
        color[1 + strspn(color + 1, "0123456789abcdefABCDEF")] != '\0')
        return "must be like #1a2b3c";
    double light =
        0.2126 * light_of(color + 1) + 0.7152 * light_of(color + 3) + 0.0722 * light_of(color + 5);
    return 1.05 / (light + 0.05) >= 4.5 ? NULL : "is too light to be read on white";
}

/* ---- the operator asks for one ---- */

struct opening {
    struct api_job api;
    char *name, *color;
    bool read_only;
    char code[TOKEN_TEXT];
    int64_t id;
};

static void opening_clear(struct api_job *job)
{
    struct opening *opening = (struct opening *)job;
    free(opening->name);
    free(opening->color);
    sodium_memzero(opening->code, sizeof(opening->code));
}

static char *brand_text(const struct opening *opening, const struct account *account)
{
    json_t *brand = json_object();
    show_text(brand, "Name", opening->name != NULL ? opening->name : account->name);
    show_text(brand, "Color", opening->color != NULL ? opening->color : "");
    char *text = json_dumps(brand, JSON_COMPACT);
    json_decref(brand);
    if (text == NULL)
        die("out of memory for a portal session");
    return text;
}

static bool opening_add(struct opening *opening, struct db *db, const struct account *account)
{
    struct api_job *job = &opening->api;
    unsigned char hash[TOKEN_HASH_BYTES];
    if (account->kind == ACCOUNT_OPERATOR || !account->active) {
        error_set(&job->job.error, ERROR_CONFLICT, "Portals are for active partners and brands.");
        return false;
    }
    char *brand = brand_text(opening, account);
    const struct guest guest = {
        .kind = CALLER_PORTAL,
        .account = account->id,
        .scope = opening->read_only ? SCOPE_READ : SCOPE_API,
        .by = &job->call->caller,
        .name = "Portal",
        .brand = brand,
    };
    token_random(opening->code);
    token_hash(hash, opening->code);
    opening->id = guest_add(db, &guest, hash);
    free(brand);
    if (opening->id == 0) {
        error_set(&job->job.error, ERROR_TOO_MANY, "The account has %d portal sessions already.",
                  GUESTS_MOST);
        return false;
    }
    operator_audit(job, db, "portal.open", "PortalSessions", opening->id, NULL);
    job->shown = json_object();
    show_text(job->shown, "Status", "OK");
    show_uri(job->shown, "Uri", "/Operator/Accounts/%s/PortalSessions/%" PRId64, account->sid,
             opening->id);
    show_int(job->shown, "Id", opening->id);
    show_date(job->shown, "EndDate", db_now(db) + GUEST_CODE_MS);
    return true;
}

static bool run_open(struct api_job *job, struct db *db)
{
    struct account account;
    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool added = opening_add((struct opening *)job, db, &account);
    account_clear(&account);
    return added;
}

static void finish_open(struct api_job *job)
{
    struct buf url = { 0 };
    buf_fmt(&url, "%s/portal#%s", job->api->origin != NULL ? job->api->origin : "",
            ((struct opening *)job)->code);
    show_text(job->shown, "Url", buf_text(&url));
    buf_wipe(&url);
    api_job_show(job);
}

static void open_portal(struct call *call, void *context)
{
    static const char *const names[] = { "Name", "Color", "ReadOnly", NULL };
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct opening *opening =
        api_job_new(sizeof(*opening), call, context, run_open, finish_open, opening_clear);
    struct fields fields = { .from = body, .problems = &opening->api.problems };
    fields_only(&fields, names);
    opening->name = fields_text(&fields, "Name", 60, FIELD_NAME, NULL);
    opening->color = fields_text(&fields, "Color", 20, 0, NULL);
    if (opening->color != NULL && color_flaw(opening->color) != NULL)
        problems_add(fields.problems, "Color", "%s", color_flaw(opening->color));
    body_bool(&fields, "ReadOnly", &opening->read_only);
    json_decref(body);
    if (api_job_valid(&opening->api))
        api_write(&opening->api);
}

static bool run_end(struct api_job *job, struct db *db)
{
    struct account account;
    int64_t id = path_id(job->call, 1);
    if (!operator_account(job, db, job->call->params[0], &account))
        return false;
    bool ended = guest_end(db, account.id, CALLER_PORTAL, id);
    if (ended)
        operator_audit(job, db, "portal.end", "PortalSessions", id, NULL);
    account_clear(&account);
    return ended;
}

static void finish_end(struct api_job *job)
{
    call_ok(job->call, "/Operator/Accounts/%s", job->call->params[0]);
}

static void end_portal(struct call *call, void *context)
{
    api_write(api_job_new(sizeof(struct api_job), call, context, run_end, finish_end, NULL));
}

/* ---- the page exchanges its code ---- */

struct exchange {
    struct api_job api;
    char *code;
    char token[TOKEN_TEXT];
};

static void exchange_clear(struct api_job *job)
{
    struct exchange *exchange = (struct exchange *)job;
    free(exchange->code);
    sodium_memzero(exchange->token, sizeof(exchange->token));
}

static bool run_exchange(struct api_job *job, struct db *db)
{
    struct exchange *exchange = (struct exchange *)job;
    unsigned char code[TOKEN_HASH_BYTES], token[TOKEN_HASH_BYTES];
    struct account account;
    enum scope scope = SCOPE_READ;
    char *brand;

    token_random(exchange->token);
    token_hash(code, exchange->code);
    token_hash(token, exchange->token);
    int64_t id = guest_exchange(db, code, token, &brand, &scope);
    if (id == 0 || !account_find(db, id, &account)) {
        free(brand);
        return true; /* and nothing to show */
    }
    struct caller portal = { .account = id, .kind = account.kind, .name = "Portal" };
    audit_add(db, &portal, job->call->address, "portal.begin", "/Portal", NULL);
    job->shown = json_object();
    show_text(job->shown, "Status", "OK");
    show_text(job->shown, "Sid", account.sid);
    show_text(job->shown, "Kind", account_kind_name(account.kind));
    show_bool(job->shown, "ReadOnly", scope == SCOPE_READ);
    show_date(job->shown, "EndDate", db_now(db) + GUEST_MS);
    json_object_set_new(job->shown, "Brand", json_loads(brand, 0, NULL));
    account_clear(&account);
    free(brand);
    return true;
}

static void finish_exchange(struct api_job *job)
{
    if (job->shown == NULL) {
        call_refuse(job->call, 401, NULL,
                    "This address was used already, or is too old. Open it anew.");
        return;
    }
    show_text(job->shown, "Token", ((struct exchange *)job)->token);
    api_job_show(job);
}

static void exchange_code(struct call *call, void *context)
{
    static const char *const names[] = { "Code", NULL };
    if (!session_from_our_page(context, call)) {
        call_refuse(call, 403, NULL, "This is for the page of this server itself.");
        return;
    }
    if (!call_has_type(call, "application/json")) {
        call_refuse(call, 415, NULL, "Send application/json.");
        return;
    }
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct exchange *exchange = api_job_new(sizeof(*exchange), call, context, run_exchange,
                                            finish_exchange, exchange_clear);
    struct fields fields = { .from = body, .problems = &exchange->api.problems };
    fields_only(&fields, names);
    exchange->code = fields_text(&fields, "Code", TOKEN_TEXT, 0, "what the address has");
    json_decref(body);
    if (api_job_valid(&exchange->api))
        api_write(&exchange->api);
}

#define CHANGES .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API, .counted = true

const struct route portal_routes[] = {
    { "POST", "/Operator/Accounts/{Account}/PortalSessions", open_portal, CHANGES },
    { "DELETE", "/Operator/Accounts/{Account}/PortalSessions/{Id}", end_portal, CHANGES },
    { .method = "POST", .pattern = "/Portal", .handle = exchange_code, .body_max = 8 * 1024 },
};
const size_t portal_route_count = sizeof(portal_routes) / sizeof(portal_routes[0]);
