/* instance.c — starting and stopping the floors in order.
 *
 * Up: store, engine (which recovers), then the listener; down: the listener, calls under way, the
 * engine, the store.  Whatever fails on the way up takes the rest down again.
 */
#include "cli/instance.h"

#include "api/allowances.h"
#include "api/changes.h"
#include "api/errands.h"
#include "api/figures.h"
#include "api/idempotency.h"
#include "api/identities.h"
#include "api/outward.h"
#include "api/passwords.h"
#include "api/portal.h"
#include "api/sessions.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "cli/descriptors.h"
#include "model/date.h"
#include "store/accounts.h"
#include "store/nouns.h"
#include "store/quotas.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the operator ---- */

struct operator_job {
    struct job job;
    char token[TOKEN_TEXT];
    char sid[SID_TEXT];
    const char *path;
    bool asked;     /* by an empty file: also when there is an operator */
    bool elsewhere; /* the store is shared, and another node has made the token */
    bool written;   /* the file: by this job, so it goes when the job is undone */
};

/* What was asked for is still asked for at the next try. */
static void take_token_back(struct operator_job *made)
{
    if (made->written && (!made->asked || truncate(made->path, 0) == -1))
        unlink(made->path);
    made->written = false;
}

/* Written and synced before the commit that makes it valid. */
static bool write_token(struct operator_job *made, struct error *error)
{
    take_token_back(made);
    if (made->asked)
        unlink(made->path);
    int file = open(made->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file == -1) {
        error_set(error, ERROR_BROKEN, "%s: %s", made->path, strerror(errno));
        return false;
    }
    bool ok = dprintf(file, "%s:%s\n", made->sid, made->token) > 0 && fsync(file) == 0;
    if (!ok)
        error_set(error, ERROR_BROKEN, "%s: %s", made->path, strerror(errno));
    close(file);
    made->written = true;
    return ok;
}

static bool operator_run(struct job *job, struct db *db)
{
    struct operator_job *made = (struct operator_job *)job;
    struct account operator= { .kind = ACCOUNT_OPERATOR, .active = true };
    unsigned char hash[TOKEN_HASH_BYTES];
    int64_t id = account_operator(db);
    made->elsewhere = id != 0 && db_is_remote(db) && !made->asked;
    if (made->elsewhere)
        return true;
    if (id == 0) {
        account_operator_claim(db);
        operator.name = must_copy("Operator");
        operator.email = must_copy("");
        operator.created_at = db_now(db);
        id = account_add(db, &operator);
        snprintf(made->sid, sizeof(made->sid), "%s", operator.sid);
        account_clear(&operator);
    } else if (account_find(db, id, &operator)) {
        snprintf(made->sid, sizeof(made->sid), "%s", operator.sid);
        account_clear(&operator);
    }
    token_random(made->token);
    token_hash(hash, made->token);
    token_add(db, id, SCOPE_API, "operator.token", DATE_NONE, hash);
    if (db_failed(db)) {
        error_set(&job->error, ERROR_BROKEN, "the operator's account could not be written");
        return false;
    }
    return write_token(made, &job->error);
}

static bool ensure_operator(struct instance *instance, struct error *error)
{
    struct operator_job made = { .job = { .run = operator_run }, .path = instance->token_path };
    struct stat about;
    bool there = stat(instance->token_path, &about) == 0;
    if (there && about.st_size > 0)
        return true;
    made.asked = there;
    bool ok = store_run_now(instance->store, &made.job);
    sodium_memzero(made.token, sizeof(made.token));
    if (!ok)
        take_token_back(&made);
    if (!ok)
        error_set(error, made.job.error.kind, "%s", made.job.error.message);
    else if (made.elsewhere)
        log_info("operator_token_elsewhere", LOG_T("missing", instance->token_path),
                 LOG_T("reason", "another node has made the operator's token: copy its file here, "
                                 "or leave an empty one here to have a further token made"));
    else
        log_info("operator_token_written", LOG_T("file", instance->token_path));
    return ok;
}

/* ---- what the start found ---- */

struct lost_job {
    struct job job;
    const char *words;
};

static bool lost_run(struct job *job, struct db *db)
{
    const struct lost_job *lost = (const struct lost_job *)job;
    struct buf text = { 0 };
    buf_fmt(&text,
            "The database lost a part of its log: %s. Compare with what was sent since the last "
            "backup, run `postbackd check --data DIR`, and look at the disk.",
            lost->words);
    notice_add(db, account_operator(db), "store.lost", buf_text(&text));
    buf_free(&text);
    return true;
}

/* It is in the log too, which nobody may read. */
static void tell_lost(struct instance *instance)
{
    struct lost_job lost = { .job = { .run = lost_run }, .words = store_lost(instance->store) };
    if (lost.words != NULL && !store_run_now(instance->store, &lost.job))
        log_warn("the operator could not be told", LOG_T("reason", lost.job.error.message));
}

/* ---- up and down ---- */

void instance_keep(struct instance *instance, const struct config *config)
{
    engine_keep(instance->engine, config->keep_days * 24 * 3600 * 1000);
    engine_give_up(instance->engine, config->give_up_s * 1000);
}

static struct quota_limits quota_of(const struct config *config)
{
    return (struct quota_limits){ config->account_waiting, config->account_waiting_bytes };
}

static void fenced(void *context)
{
    struct instance *instance = context;
    instance->fenced = true;
    uv_stop(instance->loop);
}

static bool start_membership(struct instance *instance, const struct config *config,
                             struct error *error)
{
    const struct membership_config membership = {
        .loop = instance->loop,
        .store = instance->store,
        .deadline_ms = config->deadline_s * 1000,
        .fenced = fenced,
        .context = instance,
    };
    return membership_start(&membership, &instance->membership, error);
}

static bool start_engine(struct instance *instance, const struct config *config,
                         struct error *error)
{
    struct engine_config engine = {
        .loop = instance->loop,
        .store = instance->store,
        .membership = instance->membership,
        .sendmail = config->sendmail,
        .lateness = { config->late_s * 1000, config->alarm_s * 1000 },
        .errands = &api_errand_doers,
        .room = { quota_of(config), config->disk_alarm },
        .courier.client = {
            .allow_egress = (const char *const *)config->allow_egress.items,
            .allow_egress_count = config->allow_egress.count,
            .ca_file = config->ca_file,
            .proxy = config->egress_proxy,
            .name_servers = config->name_servers,
            .deadline_ms = (int)config->deadline_s * 1000,
            .connections = descriptors_raise(),
        },
    };
    instance->engine = engine_new(&engine, error);
    if (instance->engine == NULL)
        return false;
    instance_keep(instance, config);
    return true;
}

static bool start_server(struct instance *instance, const struct config *config,
                         struct error *error)
{
    struct api *api = &instance->api;
    *api = (struct api){
        .loop = instance->loop,
        .store = instance->store,
        .engine = instance->engine,
        .membership = instance->membership,
        .limits = limits_new((int)config->rate_limit),
        .identities = identities_new(),
        .passwords = passwords_new(instance->loop),
        .started_at = clock_wall_ms(),
    };
    struct server_config server = {
        .listen = config->listen,
        .listener = instance->kept_listener,
        .enter = api_enter,
        .handle = idempotency_handle,
        .context = api,
        .limits = api->limits,
        .trusted = (const char *const *)config->trusted_proxy.items,
        .trusted_count = config->trusted_proxy.count,
    };
    api->outwards = outwards_new();
    api->allowances = allowances_new(api);
    api->changes = changes_desk_new(api);
    if (!portal_origins(api, (const char *const *)config->portal_origin.items,
                        config->portal_origin.count, error) ||
        !sessions_public_url(api, config->public_url, error))
        return false;
    if (api_is_secure(api)) /* RFC 6797: for half a year by https alone */
        server.further = "Strict-Transport-Security: max-age=15552000\r\n";
    server.routes = instance->routes = api_routes(&server.route_count);
    instance->server = api->server = server_new(instance->loop, &server, error);
    instance->kept_listener = 0;
    if (instance->server == NULL)
        return false;
    store_listen(instance->store, api_hear, api);
    api->figures = figures_new(api);
    return true;
}

static void free_server(struct instance *instance)
{
    if (instance->server != NULL)
        server_free(instance->server);
    figures_free(instance->api.figures);
    changes_desk_free(instance->api.changes);
    outwards_free(instance->api.outwards);
    identities_free(instance->api.identities);
    passwords_free(instance->api.passwords);
    free(instance->api.portal_ancestors);
    free(instance->api.origin);
    allowances_free(instance->api.allowances);
    limits_free(instance->api.limits);
    free(instance->routes);
}

bool instance_start(struct instance *instance, uv_loop_t *loop, const struct config *config,
                    struct error *error)
{
    *instance = (struct instance){ .loop = loop, .kept_listener = instance->kept_listener };
    snprintf(instance->token_path, sizeof(instance->token_path), "%s/operator.token", config->data);
    const struct store_settings settings = { quota_of(config), config->sendmail != NULL };
    struct store_config store = { .directory = config->data,
                                  .uri = config->store,
                                  .password_file = config->store_password_file,
                                  .key_file = config->key_file,
                                  .node = (int)config->node,
                                  .trust_clock = strcmp(config->trust_clock, "yes") == 0,
                                  .loop = loop,
                                  .nouns = &store_nouns,
                                  .settings = &settings };
    instance->store = store_open(&store, error);
    if (instance->store == NULL)
        goto err0;
    if (!ensure_operator(instance, error))
        goto err1;
    tell_lost(instance);
    if (!start_membership(instance, config, error))
        goto err1;
    if (!start_engine(instance, config, error))
        goto err1;
    if (!start_server(instance, config, error))
        goto err2;
    instance->api.ready = true;
    char address[80];
    server_address(instance->server, address, sizeof(address));
    if (instance->membership != NULL)
        membership_listens_at(instance->membership, address);
    log_info("listening", LOG_T("address", address), LOG_T("version", POSTBACKD_VERSION));
    return true;
err2:
    free_server(instance);
    engine_stop(instance->engine, 0);
    membership_stop(instance->membership);
    store_close(instance->store);
    map_free(&instance->api.keys); /* answers were kept until then */
    engine_free(instance->engine);
    membership_free(instance->membership);
    return false;
err1:
    membership_stop(instance->membership);
    store_close(instance->store);
    membership_free(instance->membership);
err0:
    return false;
}

static void limit_reached(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

void instance_stop(struct instance *instance, int64_t drain_ms)
{
    int64_t until = clock_steady_ms() + drain_ms;
    bool late = drain_ms == 0;
    uv_timer_t limit;
    instance->api.ready = false;
    changes_desk_close(instance->api.changes);
    figures_free(instance->api.figures);
    instance->api.figures = NULL;
    server_stop_accepting(instance->server);
    uv_timer_init(instance->loop, &limit);
    limit.data = &late;
    uv_timer_start(&limit, limit_reached, (uint64_t)drain_ms, 0);
    while (!late && server_calls(instance->server) > 0)
        uv_run(instance->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, NULL);
    server_refuse_calls(instance->server); /* below it one floor after the other goes */
    passwords_close(instance->api.passwords);
    int64_t left = until - clock_steady_ms();
    engine_stop(instance->engine, left > 0 ? left : 0);
    membership_stop(instance->membership);
    store_close(instance->store);  /* jobs of calls still open end here, and are answered */
    engine_free(instance->engine); /* so do tests under way */
    membership_free(instance->membership);
    free_server(instance);
    map_free(&instance->api.keys);
}
