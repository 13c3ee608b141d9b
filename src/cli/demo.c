/* demo.c — `postbackd demo`: the whole road in a minute.
 *
 * A server on a temporary store (or one that runs already), a small receiver beside it, and a
 * script that acts as operator, partner and brand through the same API that everyone uses.  What is
 * printed as received is what came over the wire.
 */
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/http.h"
#include "cli/instance.h"

#include <ftw.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_MS = 30000, WANTED = 2 };

static const char PASSWORD[] = "postback demo"; /* of all users, as it is printed */

struct demo {
    uv_loop_t loop;
    struct instance instance;
    const char *url, *data; /* of a server that runs; NULL: the demo's own, the instance */
    struct server *receiver;
    struct http http;
    char directory[64], base[128], receiver_base[128];
    char operator[160], brand[160], partner[160]; /* SID:TOKEN */
    char brand_sid[40], partner_sid[40], other_sid[40];
    int received;
    bool failed, late;
    char reason[600];
    uv_signal_t signals[2]; /* here, because the loop closes them after stay() has returned */
};

/* ---- the receiver ---- */

static void print_json(const char *text, size_t len)
{
    json_t *body = json_loadb(text, len, 0, NULL);
    char *pretty = body != NULL ? json_dumps(body, JSON_INDENT(2)) : NULL;
    if (pretty == NULL) {
        printf("   %.*s\n", (int)len, text);
    } else {
        const char *rest = pretty;
        while (*rest != '\0') {
            size_t line = strcspn(rest, "\n");
            printf("   %.*s\n", (int)line, rest);
            rest += line + (rest[line] == '\n');
        }
    }
    free(pretty);
    json_decref(body);
}

static void receive(struct call *call, void *context)
{
    static const char *const shown[] = { "Content-Type", "webhook-id", "webhook-timestamp",
                                         "webhook-signature" };
    struct demo *demo = context;
    printf("\n<- postback %d arrived at the receiver\n   %s %s\n", ++demo->received, call->method,
           call->target);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        const char *value = call_header(call, shown[i]);
        if (value != NULL)
            printf("   %s: %s\n", shown[i], value);
    }
    print_json(buf_text(&call->body), call->body.len);
    fflush(stdout);
    call_text_answer(call, 200, "text/plain", "OK\n", 3);
}

static const struct route receiver_routes[] = {
    { .method = "POST", .pattern = "/postbacks", .handle = receive, .reads_query = true },
};

/* ---- one call after the other ---- */

static void fail(struct demo *demo, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct demo *demo, const char *format, ...)
{
    if (demo->failed)
        return;
    demo->failed = true;
    va_list args;
    va_start(args, format);
    vsnprintf(demo->reason, sizeof(demo->reason), format, args);
    va_end(args);
}

/* The answer's member `want` in out ("" when the demo has failed); want NULL: nothing is taken. */
static void act(struct demo *demo, const char *who, const char *method, const char *path,
                json_t *body, const char *want, char *out, size_t size)
{
    struct error error = { 0 };
    json_t *answer = NULL;
    if (out != NULL)
        out[0] = '\0';
    if (!demo->failed) {
        int status = http_call(&demo->http, who, method, path, body, &answer, &error);
        const char *message = json_string_value(json_object_get(answer, "Message"));
        const char *value = want != NULL ? json_string_value(json_object_get(answer, want)) : "";
        if (status == -1)
            fail(demo, "%s %s: %s", method, path, error.message);
        else if (status >= 300 || value == NULL)
            fail(demo, "%s %s answered %d: %s", method, path, status,
                 message != NULL ? message : "no reason given");
        else if (out != NULL)
            snprintf(out, size, "%s", value);
    }
    json_decref(answer);
    json_decref(body);
}

static void add_account(struct demo *demo, const char *kind, const char *name, char *sid,
                        size_t sid_size, char *credentials, size_t size)
{
    char path[128], token[80];
    act(demo, demo->operator, "POST", "/Operator/Accounts",
        json_pack("{ssss}", "Kind", kind, "Name", name), "Sid", sid, sid_size);
    if (credentials == NULL)
        return;
    snprintf(path, sizeof(path), "/Operator/Accounts/%s/Tokens", sid);
    act(demo, demo->operator, "POST", path, json_pack("{ssss}", "Scope", "API", "Label", "demo"),
        "Token", token, sizeof(token));
    snprintf(credentials, size, "%s:%s", sid, token);
}

static void add_user(struct demo *demo, const char *sid, const char *email, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "/Operator/Accounts/%s/Users", sid);
    act(demo, demo->operator, "POST", path,
        json_pack("{ssssssss}", "Email", email, "Name", name, "Role", "ADMIN", "Password",
                  PASSWORD),
        NULL, NULL, 0);
}

static void set_up(struct demo *demo, char *campaign, size_t size)
{
    char path[128], own_sid[40];
    snprintf(own_sid, sizeof(own_sid), "%.*s", (int)strcspn(demo->operator, ":"), demo->operator);
    add_user(demo, own_sid, "operator@demo.example", "Olga Operator");
    add_account(demo, "BRAND", "Acme Shoes", demo->brand_sid, sizeof(demo->brand_sid), demo->brand,
                sizeof(demo->brand));
    add_account(demo, "PARTNER", "Cashback Corner", demo->partner_sid, sizeof(demo->partner_sid),
                demo->partner, sizeof(demo->partner));
    add_account(demo, "PARTNER", "Deal Digest", demo->other_sid, sizeof(demo->other_sid), NULL, 0);
    add_user(demo, demo->brand_sid, "brand@demo.example", "Blake Brand");
    add_user(demo, demo->partner_sid, "partner@demo.example", "Pat Partner");
    act(demo, demo->operator, "POST", "/Operator/Campaigns",
        json_pack("{ssssss}", "BrandSid", demo->brand_sid, "Name", "Acme Autumn", "Currency",
                  "EUR"),
        "Id", campaign, size);
    snprintf(path, sizeof(path), "/Operator/Campaigns/%s/Trackers", campaign);
    act(demo, demo->operator, "POST", path, json_pack("{ss}", "Name", "Online sale"), NULL, NULL,
        0);
    snprintf(path, sizeof(path), "/Operator/Campaigns/%s/Members", campaign);
    act(demo, demo->operator, "POST", path, json_pack("{ss}", "PartnerSid", demo->partner_sid),
        NULL, NULL, 0);
    act(demo, demo->operator, "POST", path, json_pack("{ss}", "PartnerSid", demo->other_sid), NULL,
        NULL, 0);
}

static void add_notification(struct demo *demo)
{
    char path[128], url[200];
    snprintf(path, sizeof(path), "/Mediapartners/%s/EventNotifications", demo->partner_sid);
    snprintf(url, sizeof(url), "%s/postbacks?inquiry={InquiryId}", demo->receiver_base);
    act(demo, demo->partner, "POST", path,
        json_pack("{ssssssss}", "Category", "Action Inquiry Events", "Url", url, "Method", "POST",
                  "BodyFormat", "JSON"),
        NULL, NULL, 0);
}

static void await(struct demo *demo, int count)
{
    while (!demo->failed && !demo->late && demo->received < count)
        uv_run(&demo->loop, UV_RUN_ONCE);
    if (demo->late)
        fail(demo, "postback %d had not arrived after %d s", count, LIMIT_MS / 1000);
}

static void play(struct demo *demo)
{
    char campaign[24], path[200], uri[200];
    set_up(demo, campaign, sizeof(campaign));
    add_notification(demo);
    if (!demo->failed)
        printf("-> the partner opens an inquiry: order A-1001 of Acme Shoes was not tracked\n");
    snprintf(path, sizeof(path), "/Mediapartners/%s/ActionInquiries", demo->partner_sid);
    act(demo, demo->partner, "POST", path,
        json_pack("{ssssssssssss}", "CampaignId", campaign, "OrderId", "A-1001", "TransactionDate",
                  "2026-01-15", "TransactionAmount", "89.90", "InquiryType", "UNTRACKED",
                  "MediaPartnerInquiryId", "MEMBER77"),
        "Uri", uri, sizeof(uri));
    await(demo, 1);
    if (!demo->failed)
        printf("\n-> the brand declines it: the transaction cannot be traced\n");
    const char *id = strrchr(uri, '/');
    snprintf(path, sizeof(path), "/Advertisers/%s/ActionInquiries", demo->brand_sid);
    act(demo, demo->brand, "PUT", path,
        json_pack("{ssssss}", "Id", id != NULL ? id + 1 : "", "ResolutionStatus", "DECLINED",
                  "RejectReason", "Transaction cannot be traced"),
        NULL, NULL, 0);
    await(demo, WANTED);
}

/* ---- around it ---- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

static void read_operator(struct demo *demo)
{
    char path[300];
    if (demo->data != NULL)
        snprintf(path, sizeof(path), "%.280s/operator.token", demo->data);
    const char *from = demo->data != NULL ? path : demo->instance.token_path;
    FILE *file = fopen(from, "r");
    if (file == NULL || fgets(demo->operator, sizeof(demo->operator), file) == NULL)
        fail(demo, "%s cannot be read", from);
    demo->operator[strcspn(demo->operator, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
}

static bool start_server(struct demo *demo, struct error *error)
{
    char address[80];
    struct config config = { .data = demo->directory,
                             .listen = "127.0.0.1:8080",
                             .allow_egress = { { "127.0.0.0/8" }, 1 },
                             .trust_clock = "no",
                             .give_up_s = 24 * 3600,
                             .deadline_s = 10,
                             .rate_limit = 1000 };
    if (!instance_start(&demo->instance, &demo->loop, &config, error)) {
        config.listen = "127.0.0.1:0"; /* 8080 is somebody else's */
        *error = (struct error){ 0 };
        if (!instance_start(&demo->instance, &demo->loop, &config, error))
            return false;
    }
    server_address(demo->instance.server, address, sizeof(address));
    snprintf(demo->base, sizeof(demo->base), "http://%s", address);
    return true;
}

static bool start(struct demo *demo, struct error *error)
{
    char address[80];
    struct server_config receiver = {
        .listen = "127.0.0.1:0", .routes = receiver_routes, .route_count = 1, .context = demo
    };
    demo->receiver = server_new(&demo->loop, &receiver, error);
    if (demo->receiver == NULL)
        return false;
    server_address(demo->receiver, address, sizeof(address));
    snprintf(demo->receiver_base, sizeof(demo->receiver_base), "http://%s", address);
    if (demo->url != NULL)
        snprintf(demo->base, sizeof(demo->base), "%s", demo->url);
    else if (!start_server(demo, error)) {
        server_free(demo->receiver);
        return false;
    }
    if (!http_open(&demo->http, &demo->loop, demo->base, NULL, error))
        return false;
    read_operator(demo);
    return true;
}

static void show_sign_ins(const struct demo *demo)
{
    printf("\nBoth postbacks arrived. The pages stay up until Ctrl-C:\n\n"
           "  %s\n\n"
           "  partner@demo.example    Cashback Corner, who opened the inquiry\n"
           "  brand@demo.example      Acme Shoes, who declined it\n"
           "  operator@demo.example   who runs the server\n\n"
           "each with the password \"%s\". Programs sign in by SID and token:\n\n"
           "  partner   -u %s\n  brand     -u %s\n  operator  -u %s\n\n"
           "  curl -u %s %s/Mediapartners/%s/Postbacks\n",
           demo->base, PASSWORD, demo->partner, demo->brand, demo->operator, demo->partner,
           demo->base, demo->partner_sid);
    fflush(stdout);
}

static void too_late(uv_timer_t *timer)
{
    ((struct demo *)timer->data)->late = true;
}

static void interrupted(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

static void stay(struct demo *demo)
{
    static const int numbers[] = { SIGINT, SIGTERM };
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&demo->loop, &demo->signals[i]);
        uv_signal_start(&demo->signals[i], interrupted, numbers[i]);
    }
    uv_run(&demo->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&demo->signals[i], NULL);
}

static int run(struct demo *demo, bool once)
{
    struct error error = { 0 };
    uv_timer_t limit;
    uv_loop_init(&demo->loop);
    if (!start(demo, &error)) {
        fprintf(stderr, "postbackd demo: %s\n", error.message);
        return 1;
    }
    uv_timer_init(&demo->loop, &limit);
    limit.data = demo;
    uv_timer_start(&limit, too_late, LIMIT_MS, 0);
    printf("postbackd %s, %s, receiver at %s\n\n", POSTBACKD_VERSION,
           demo->url != NULL ? demo->url : "a store of its own", demo->receiver_base);
    play(demo);
    uv_close((uv_handle_t *)&limit, NULL);
    if (!demo->failed && !once) {
        show_sign_ins(demo);
        stay(demo);
    }
    http_close(&demo->http);
    if (demo->url == NULL)
        instance_stop(&demo->instance, 2000);
    server_stop_accepting(demo->receiver);
    server_free(demo->receiver);
    uv_run(&demo->loop, UV_RUN_DEFAULT);
    uv_loop_close(&demo->loop);
    if (demo->failed)
        fprintf(stderr, "postbackd demo: %s\n", demo->reason);
    else if (once)
        printf("\nBoth postbacks arrived.\n");
    return demo->failed ? 1 : 0;
}

/* False: the usage was shown. */
static bool read_arguments(struct demo *demo, bool *once, int argc, char **argv)
{
    for (int at = 1; at < argc; at++) {
        const char **into = strcmp(argv[at], "--url") == 0    ? &demo->url
                            : strcmp(argv[at], "--data") == 0 ? &demo->data
                                                              : NULL;
        if (strcmp(argv[at], "--once") == 0)
            *once = true;
        else if (into != NULL && at + 1 < argc)
            *into = argv[++at];
        else
            goto usage;
    }
    if ((demo->url == NULL) == (demo->data == NULL))
        return true;
usage:
    fprintf(stderr, "usage: postbackd demo [--once] [--url URL --data DIR]\n");
    return false;
}

int demo_command(int argc, char **argv)
{
    bool once = false;
    struct demo demo = { .directory = "/tmp/postbackd-demo-XXXXXX" };
    if (!read_arguments(&demo, &once, argc, argv))
        return 2;
    if (sodium_init() == -1)
        die("libsodium cannot start: no randomness");
    log_setup(LOG_WARN, false);
    if (demo.url != NULL)
        return run(&demo, once);
    if (mkdtemp(demo.directory) == NULL) {
        perror("postbackd demo: /tmp");
        return 1;
    }
    int code = run(&demo, once);
    nftw(demo.directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}
