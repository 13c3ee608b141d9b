/* track.c — GET and POST /Track/{CampaignId}/{ActionTrackerId}: inbound tracking postbacks.
 *
 * A brand's shop, or whatever measures for it, calls this for each conversion; it becomes an action
 * and action.tracked of the partner and the brand.  It is let in by one of the campaign's tracking
 * tokens, in the query, as Bearer, or as the password of Basic.  Token, order and partner are
 * looked up by the job that writes, so that two calls for one order cannot both find it new.
 *
 * The rule: one order is one action of a tracker, however often it is sent.
 */
#include "api/admission.h"
#include "api/conversions.h"
#include "api/identities.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/id.h"
#include "store/campaigns.h"
#include "store/tracking.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TRACK_EVENTS = 2, TRACK_BYTES = 8 * 1024 };

struct tracking {
    struct api_job api;
    int64_t campaign, tracker;
    unsigned char token[TOKEN_HASH_BYTES];
    bool has_token, right_token, entered;
    struct conversion conversion;
    int64_t action;
    bool duplicate;
};

static void tracking_clear(struct api_job *job)
{
    struct tracking *tracking = (struct tracking *)job;
    if (tracking->entered)
        admission_leave(job->api, TRACK_EVENTS, TRACK_BYTES);
    conversion_free(&tracking->conversion);
}

/* ---- the job ---- */

static bool write_conversion(struct api_job *job, struct db *db)
{
    struct tracking *tracking = (struct tracking *)job;
    struct campaign campaign;
    bool written;
    tracking->right_token = tracking_token_is(db, tracking->campaign, tracking->token);
    if (!tracking->right_token)
        return true; /* nothing is written; the answer says why */
    campaign_find(db, tracking->campaign, &campaign);
    written = conversion_track(&job->job, db, &tracking->conversion, &campaign, tracking->tracker,
                               "irpid", &job->problems, &tracking->action, &tracking->duplicate);
    campaign_clear(&campaign);
    return written;
}

static void refuse_token(struct call *call)
{
    call_add_header(call, "WWW-Authenticate", "Bearer realm=\"postbackd\"");
    call_refuse(call, 401, NULL, "The token is not a tracking token of this campaign.");
}

static void answer(struct api_job *job)
{
    const struct tracking *tracking = (const struct tracking *)job;
    char id[24];
    identities_tracked(job->api->identities, tracking->token, tracking->right_token);
    if (!tracking->right_token) {
        refuse_token(job->call);
        return;
    }
    snprintf(id, sizeof(id), "%" PRId64, tracking->action);
    call_json_answer(job->call, 200,
                     json_pack("{s:s, s:s, s:s}", "Status", "OK", "ActionId", id, "Duplicate",
                               tracking->duplicate ? "true" : "false"));
}

/* ---- the request ---- */

/* The parameters of query and body in one flat object; a name in both is a problem. */
static json_t *parameters(struct call *call, struct problems *problems)
{
    json_t *given = call_object(call);
    call_query_only(call, conversion_names, problems);
    for (const char *const *name = conversion_names; given != NULL && *name != NULL; name++) {
        if (!call_has_query(call, *name))
            continue;
        if (json_object_get(given, *name) != NULL)
            problems_add(problems, *name, "is given twice");
        else
            json_object_set_new(given, *name, call_string(call_query(call, *name)));
    }
    return given;
}

static void take_token(struct tracking *tracking, const char *text)
{
    tracking->has_token = text != NULL && text[0] != '\0';
    if (tracking->has_token)
        token_hash(tracking->token, text);
}

static void read_token(struct tracking *tracking, struct call *call, json_t *given)
{
    const char *header = call_header(call, "Authorization");
    char *user, *password;
    take_token(tracking, json_string_value(json_object_get(given, "token")));
    if (tracking->has_token || header == NULL)
        return;
    if (strncasecmp(header, "Bearer ", 7) == 0) {
        take_token(tracking, header + 7 + strspn(header + 7, " "));
    } else if (call_basic(call, &user, &password)) {
        take_token(tracking, password);
        sodium_memzero(password, strlen(password));
        free(user);
        free(password);
    }
}

/* False: answered. */
static bool may_enter(struct tracking *tracking, struct call *call, struct api *api)
{
    if (!tracking->has_token) {
        refuse_token(call);
        return false;
    }
    tracking->entered = admission_enter(api, call, TRACK_EVENTS, TRACK_BYTES);
    return tracking->entered;
}

/* Conversions of one token keep their order. */
static void write_in_turn(struct tracking *tracking)
{
    if (tracking->has_token)
        tracking->api.job.account = api_stranger(tracking->token, sizeof(tracking->token));
    api_write(&tracking->api);
}

/* ---- a token that is not known yet ---- */

/* It is looked up before it may go to the writer: guesses are for a reader. */
struct token_look {
    struct api_job api;
    struct tracking *tracking; /* owned, until it goes on */
    bool right;
};

static void look_clear(struct api_job *job)
{
    struct token_look *look = (struct token_look *)job;
    if (look->tracking != NULL)
        api_job_drop(&look->tracking->api);
}

static bool look_run(struct api_job *job, struct db *db)
{
    struct token_look *look = (struct token_look *)job;
    look->right = tracking_token_is(db, look->tracking->campaign, look->tracking->token);
    return true;
}

static void look_finish(struct api_job *job)
{
    struct token_look *look = (struct token_look *)job;
    if (!look->right) {
        refuse_token(job->call);
        return;
    }
    write_in_turn(look->tracking);
    look->tracking = NULL;
}

static void look_first(struct tracking *tracking, struct call *call, struct api *api)
{
    struct token_look *look =
        api_job_new(sizeof(*look), call, api, look_run, look_finish, look_clear);
    look->tracking = tracking;
    api_look_up(&look->api);
}

static void track(struct call *call, void *context)
{
    struct api *api = context;
    int64_t now_ms = clock_wall_ms();
    if (strcmp(call->method, "HEAD") == 0) { /* it would count a conversion and not say so */
        call_add_header(call, "Allow", "GET, POST");
        call_refuse(call, 405, NULL, "This address takes GET, POST.");
        return;
    }
    if (!admission_open(api, call))
        return;
    struct tracking *tracking =
        api_job_new(sizeof(*tracking), call, api, write_conversion, answer, tracking_clear);
    json_t *given = parameters(call, &tracking->api.problems);
    if (given == NULL) {
        api_job_drop(&tracking->api);
        return;
    }
    read_token(tracking, call, given);
    conversion_read(&tracking->conversion, given, now_ms, CONVERSION_AHEAD_MS,
                    &tracking->api.problems);
    json_decref(given);
    if (!id_parse(call->params[0], &tracking->campaign) ||
        !id_parse(call->params[1], &tracking->tracker))
        tracking->campaign = tracking->tracker = 0; /* which is nobody's */
    if (!may_enter(tracking, call, api))
        api_job_drop(&tracking->api);
    else if (!api_job_valid(&tracking->api))
        return;
    else if (identities_tracks(api->identities, tracking->token))
        write_in_turn(tracking);
    else
        look_first(tracking, call, api);
}

const struct route track_routes[] = {
    { "GET", "/Track/{CampaignId}/{ActionTrackerId}", track, .who = 0, .reads_query = true },
    { "POST", "/Track/{CampaignId}/{ActionTrackerId}", track, .who = 0, .reads_query = true },
};
const size_t track_route_count = sizeof(track_routes) / sizeof(track_routes[0]);
