/* admin.c — `postbackd admin`: the operator's work from a shell, one table of commands over the
 * API.
 *
 * A command is two words, then what stands in its path, then Name=value fields.  Name=- reads the
 * value from standard input, so that a password or a header's secret need not be typed on the
 * command line; what is PEM can be read from files, Name=@FILE.  The answer is printed as JSON; a
 * refusal as sentences, with exit code 1.
 */
#include "base/buf.h"
#include "base/fail.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/follow.h"
#include "cli/http.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERMS_FIELDS                                                                               \
    "PayoutPercentage=|PayoutAmount= [PartnerSid=] [Locking=] [LockingDays=] "                     \
    "[LockingDayOfMonth=] [ClearingDays=] [StartDate=]"

static const struct admin_row {
    const char *noun, *verb, *method;
    const char *path;   /* each {} takes one word; NULL: asked again and again, by follow.c */
    const char *words;  /* what they are, for the help */
    const char *fields; /* "Kind= Name= [Email=]" */
    const char *help;
} rows[] = {
    { "account", "add", "POST", "/Operator/Accounts", "", "Kind=PARTNER|BRAND Name= [Email=]",
      "a partner or a brand" },
    { "account", "list", "GET", "/Operator/Accounts", "", "", "all accounts" },
    { "account", "show", "GET", "/Operator/Accounts/{}", "SID", "", "one account" },
    { "account", "change", "PUT", "/Operator/Accounts/{}", "SID", "[Name=] [Email=] [Active=]",
      "rename, lock, unlock" },
    { "user", "add", "POST", "/Operator/Accounts/{}/Users", "SID",
      "Email= Name= Role=ADMIN|USER|READ_ONLY Password=-", "someone who signs in" },
    { "user", "list", "GET", "/Operator/Accounts/{}/Users", "SID", "", "an account's users" },
    { "user", "change", "PUT", "/Operator/Accounts/{}/Users/{}", "SID ID",
      "[Name=] [Role=] [Active=] [Password=-]", "shut out or let in again, another password" },
    { "token", "add", "POST", "/Operator/Accounts/{}/Tokens", "SID",
      "Scope=API|READ|EVENTS [Label=]", "an auth token, shown once" },
    { "token", "list", "GET", "/Operator/Accounts/{}/Tokens", "SID", "", "an account's tokens" },
    { "token", "revoke", "DELETE", "/Operator/Accounts/{}/Tokens/{}", "SID ID", "",
      "a token ends at once" },
    { "campaign", "add", "POST", "/Operator/Campaigns", "",
      "BrandSid= Name= Currency=", "a brand's programme" },
    { "campaign", "list", "GET", "/Operator/Campaigns", "", "", "all campaigns" },
    { "tracker", "add", "POST", "/Operator/Campaigns/{}/Trackers", "CAMPAIGN",
      "Name=", "an action tracker" },
    { "tracker", "list", "GET", "/Operator/Campaigns/{}/Trackers", "CAMPAIGN", "",
      "a campaign's action trackers" },
    { "terms", "add", "POST", "/Operator/Terms", "", "CampaignId= ActionTrackerId= " TERMS_FIELDS,
      "what an action earns, when it locks and clears" },
    { "terms", "preview", "POST", "/Operator/Terms/Preview", "",
      "CampaignId= ActionTrackerId= Amount= [EventDate=] " TERMS_FIELDS,
      "what a sale would earn by them" },
    { "terms", "list", "GET", "/Operator/Terms", "", "[CampaignId=]",
      "the terms of action trackers" },
    { "terms", "remove", "DELETE", "/Operator/Terms/{}", "ID", "",
      "actions that are there go on by them" },
    { "member", "add", "POST", "/Operator/Campaigns/{}/Members", "CAMPAIGN",
      "PartnerSid=", "a partner joins a campaign" },
    { "member", "list", "GET", "/Operator/Campaigns/{}/Members", "CAMPAIGN", "",
      "a campaign's partners" },
    { "member", "remove", "DELETE", "/Operator/Campaigns/{}/Members/{}", "CAMPAIGN SID", "",
      "a partner leaves a campaign" },
    { "tracking", "add", "POST", "/Operator/Campaigns/{}/TrackingTokens", "CAMPAIGN", "[Label=]",
      "a token to send conversions with, shown once" },
    { "tracking", "list", "GET", "/Operator/Campaigns/{}/TrackingTokens", "CAMPAIGN", "",
      "a campaign's tracking tokens" },
    { "tracking", "revoke", "DELETE", "/Operator/Campaigns/{}/TrackingTokens/{}", "CAMPAIGN ID", "",
      "a tracking token ends at once" },
    { "type", "add", "POST", "/Operator/EventTypes", "",
      "Name= Meaning= DataPoints='[{…}]' [Category=]",
      "an event type for events of other systems" },
    { "type", "list", "GET", "/Operator/EventTypes", "", "", "event types that were added" },
    { "type", "change", "PUT", "/Operator/EventTypes/{}", "TYPE", "DataPoints= [Meaning=]",
      "more data points, other words" },
    { "type", "delete", "DELETE", "/Operator/EventTypes/{}", "TYPE", "",
      "it takes no further events" },
    { "notification", "list", "GET", "/Operator/Notifications", "", "[AccountSid=]",
      "event notifications of all accounts" },
    { "notification", "agree", "POST", "/Operator/Notifications/{}/Agree", "NOTIFICATION",
      "For=https://HOST:PORT", "custom headers and TLS go to where its URL leads now" },
    { "headers", "set", "PUT", "/Operator/Notifications/{}/Headers", "NOTIFICATION",
      "CustomHeaders='[{\"Name\":\"\",\"Value\":\"\"}]'", "custom headers; [] takes them away" },
    { "points", "show", "GET", "/Operator/Accounts/{}/DataPoints", "SID", "",
      "data points on request that are open to it" },
    { "points", "set", "PUT", "/Operator/Accounts/{}/DataPoints", "SID", "DataPoints='[\"\"]'",
      "all that are open from now on" },
    { "support", "list", "GET", "/Operator/SupportRequests", "", "[State=] [AccountSid=]",
      "support requests, the longest waiting first" },
    { "support", "show", "GET", "/Operator/SupportRequests/{}", "ID", "",
      "one, with its messages" },
    { "support", "answer", "POST", "/Operator/SupportRequests/{}/Messages", "ID",
      "Text= [State=OPEN|ANSWERED|CLOSED]", "the account is told of it" },
    { "tls", "set", "PUT", "/Operator/Notifications/{}/Tls", "NOTIFICATION",
      "[CaCertificate=@FILE] [ClientCertificate=@FILE ClientKey=@FILE]",
      "whom its receiver is trusted by, what it is shown" },
    { "tls", "show", "GET", "/Operator/Notifications/{}/Tls", "NOTIFICATION", "",
      "names and dates of what is set" },
    { "tls", "remove", "DELETE", "/Operator/Notifications/{}/Tls", "NOTIFICATION", "",
      "as for all the others again" },
    { "maintenance", "start", "POST", "/Operator/Maintenance", "",
      "[Message=] [StartDate=] [ExpectedEndDate=]", "pauses all postbacks, now or then" },
    { "maintenance", "end", "POST", "/Operator/Maintenance/End", "", "",
      "postbacks go out again, or the plan is cancelled" },
    { "maintenance", "status", "GET", NULL, "", "[--once | Follow=no]",
      "where it is; follows a catch-up to its end" },
    { "nodes", "list", "GET", "/Operator/Nodes", "", "",
      "servers that share the database, and what they have of the work" },
    { "nodes", "drain", "POST", "/Operator/Nodes/{}/Drain", "NAME", "",
      "it leaves its work to the others, and is not ready" },
    { "nodes", "undrain", "POST", "/Operator/Nodes/{}/Undrain", "NAME", "",
      "it takes its share again" },
    { "key", "rotate", "POST", "/Operator/KeyChange", "", "",
      "all that is sealed is sealed by a new key; the old one is forgotten" },
    { "key", "show", "GET", "/Operator/KeyChange", "", "", "which key seals, how far a change is" },
    { "erase", "customer", "POST", "/Operator/Erasures", "",
      "AccountSid= CustomerId=|OrderId= Waiting=SEND|CANCEL",
      "a job empties all that is known of the customer" },
    { "audit", "list", "GET", "/Operator/Audit", "", "", "who changed what, newest first" },
    { "status", "show", "GET", "/readyz", "", "", "is it serving" },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), VALUE_MAX = 64 * 1024 };

struct admin {
    const char *url, *data, *ca_file;
    char credentials[200];
};

void admin_help(void)
{
    printf("usage: postbackd admin [--url URL] [--data DIR] [--ca-file FILE] COMMAND\n\n"
           "  --url URL   the server [http://127.0.0.1:8080]\n"
           "  --data DIR  the data directory whose operator.token signs in; without it the\n"
           "              variable POSTBACKD_TOKEN, \"SID:TOKEN\"\n"
           "  Name=-      reads a field's value from standard input\n"
           "  Name=@FILE  reads PEM text from a file\n"
           "  operator    in place of a SID: the account that you sign in as\n\n");
    for (int i = 0; i < ROWS; i++) {
        char left[240];
        snprintf(left, sizeof(left), "%s %s%s%s%s%s", rows[i].noun, rows[i].verb,
                 *rows[i].words != '\0' ? " " : "", rows[i].words,
                 *rows[i].fields != '\0' ? " " : "", rows[i].fields);
        printf("  %-64s %s\n", left, rows[i].help);
    }
}

static bool read_credentials(struct admin *admin)
{
    char path[4096];
    const char *variable = getenv("POSTBACKD_TOKEN");
    if (admin->data == NULL) {
        if (variable == NULL || strlen(variable) >= sizeof(admin->credentials)) {
            fprintf(stderr, "postbackd admin: who are you? Give --data DIR, or POSTBACKD_TOKEN\n");
            return false;
        }
        memcpy(admin->credentials, variable, strlen(variable) + 1);
        return true;
    }
    snprintf(path, sizeof(path), "%s/operator.token", admin->data);
    FILE *file = fopen(path, "r");
    bool ok = file != NULL && fgets(admin->credentials, sizeof(admin->credentials), file) != NULL;
    if (!ok)
        fprintf(stderr,
                "postbackd admin: %s cannot be read; is this the server's data directory?\n", path);
    if (file != NULL)
        fclose(file);
    admin->credentials[strcspn(admin->credentials, "\n")] = '\0';
    return ok;
}

/* A word of a path: "operator" stands for the SID of who calls, for example to add the first user.
 */
static void add_word(const struct admin *admin, struct buf *path, const char *word)
{
    bool own = strcmp(word, "operator") == 0;
    const char *text = own ? admin->credentials : word;
    text_percent_encode(path, text, own ? strcspn(text, ":") : strlen(text));
}

/* Puts the words into the path's {}; gives how many were used, -1 when there are too few. */
static int fill_path(const struct admin *admin, struct buf *path, const char *pattern, int argc,
                     char **argv)
{
    int used = 0;
    for (; *pattern != '\0'; pattern++) {
        if (pattern[0] != '{') {
            buf_char(path, *pattern);
            continue;
        }
        if (used == argc || strchr(argv[used], '=') != NULL)
            return -1;
        add_word(admin, path, argv[used]);
        used++;
        pattern++;
    }
    return used;
}

static char *read_text(FILE *from)
{
    char *text = must_alloc(VALUE_MAX + 1);
    size_t len = fread(text, 1, VALUE_MAX, from);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    text[len] = '\0';
    return text;
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* The text of a file; NULL, told, when it cannot be read. */
static char *read_pem(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = file != NULL ? read_text(file) : NULL;
    if (file == NULL || ferror(file)) {
        fprintf(stderr, "postbackd admin: %s cannot be read\n", path);
        free(text);
        text = NULL;
    }
    if (file != NULL)
        fclose(file);
    return text;
}

/* Text, but for the fields that are lists: those are JSON (if they are; the server says if not).
 * NULL, told, when it cannot be had. */
static json_t *field_value(const char *name, const char *text)
{
    static const char *const lists[] = { "CustomHeaders", "DataPoints", NULL };
    static const char *const pems[] = { "CaCertificate", "ClientCertificate", "ClientKey", NULL };
    bool from_file = *text == '@' && is_among(pems, name);
    char *input = from_file ? read_pem(text + 1) : strcmp(text, "-") == 0 ? read_text(stdin) : NULL;
    const char *value = input != NULL ? input : text;
    if (from_file && input == NULL)
        return NULL;
    json_t *json = is_among(lists, name) ? json_loads(value, 0, NULL) : NULL;
    if (json == NULL)
        json = json_string(value);
    if (json == NULL)
        fprintf(stderr, "postbackd admin: %s: not UTF-8 text\n", name);
    if (input != NULL)
        sodium_memzero(input, strlen(input));
    free(input);
    return json;
}

static bool read_fields(const struct admin_row *row, int argc, char **argv, json_t *body,
                        struct buf *path)
{
    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals == NULL || equals == argv[i]) {
            fprintf(stderr, "postbackd admin: \"%s\": expected Name=value\n", argv[i]);
            return false;
        }
        char name[80];
        snprintf(name, sizeof(name), "%.*s", (int)(equals - argv[i]), argv[i]);
        json_t *value = field_value(name, equals + 1);
        if (value == NULL)
            return false;
        if (strcmp(row->method, "GET") == 0) {
            buf_char(path, strchr(buf_text(path), '?') != NULL ? '&' : '?');
            text_percent_encode(path, name, strlen(name));
            buf_char(path, '=');
            const char *text = json_string_value(value);
            text_percent_encode(path, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
        } else {
            json_object_set(body, name, value);
        }
        json_decref(value);
    }
    return true;
}

static void print_refusal(int status, const json_t *answer)
{
    const char *message = json_string_value(json_object_get(answer, "Message"));
    fprintf(stderr, "postbackd admin: %d: %s\n", status,
            message != NULL ? message : "the server gave no reason");
    size_t at;
    json_t *problem;
    json_array_foreach(json_object_get(answer, "Errors"), at, problem)
        fprintf(stderr, "  %s: %s\n", json_string_value(json_object_get(problem, "Field")),
                json_string_value(json_object_get(problem, "Message")));
}

static int call(const struct admin *admin, const struct admin_row *row, const char *path,
                const json_t *body)
{
    uv_loop_t loop;
    struct http http;
    struct error error = { 0 };
    json_t *answer = NULL;
    uv_loop_init(&loop);
    int status = -1;
    if (http_open(&http, &loop, admin->url, admin->ca_file, &error)) {
        status = http_call(&http, admin->credentials, row->method, path,
                           strcmp(row->method, "GET") == 0 ? NULL : body, &answer, &error);
        http_close(&http);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (status == -1)
        fprintf(stderr, "postbackd admin: %s\n", error.message);
    else if (status >= 300)
        print_refusal(status, answer);
    else if (answer != NULL)
        json_dumpf(answer, stdout, JSON_INDENT(2));
    if (status != -1 && status < 300)
        printf("%s\n", answer != NULL ? "" : "OK");
    json_decref(answer);
    return status != -1 && status < 300 ? 0 : 1;
}

static int run(struct admin *admin, int argc, char **argv)
{
    const struct admin_row *row = NULL;
    for (int i = 0; argc >= 2 && i < ROWS; i++)
        if (strcmp(rows[i].noun, argv[0]) == 0 && strcmp(rows[i].verb, argv[1]) == 0)
            row = &rows[i];
    if (row == NULL) {
        fprintf(stderr, "postbackd admin: no such command; postbackd admin --help lists them\n");
        return 2;
    }
    struct buf path = { 0 };
    json_t *body = json_object();
    int code = 2;
    bool known = read_credentials(admin);
    int used = row->path == NULL ? 0 : fill_path(admin, &path, row->path, argc - 2, argv + 2);
    if (!known)
        code = 2;
    else if (row->path == NULL)
        code =
            follow_maintenance(admin->url, admin->ca_file, admin->credentials, argc - 2, argv + 2);
    else if (used == -1)
        fprintf(stderr, "usage: postbackd admin %s %s %s %s\n", row->noun, row->verb, row->words,
                row->fields);
    else if (read_fields(row, argc - 2 - used, argv + 2 + used, body, &path))
        code = call(admin, row, buf_text(&path), body);
    json_decref(body);
    buf_free(&path);
    sodium_memzero(admin->credentials, sizeof(admin->credentials));
    return code;
}

int admin_command(int argc, char **argv)
{
    struct admin admin = { .url = "http://127.0.0.1:8080" };
    int at = 1;
    if (sodium_init() == -1)
        die("libsodium cannot start: no randomness");
    for (; at < argc && text_starts(argv[at], "--"); at += 2) {
        if (strcmp(argv[at], "--help") == 0) {
            admin_help();
            return 0;
        }
        const char **into = strcmp(argv[at], "--url") == 0       ? &admin.url
                            : strcmp(argv[at], "--data") == 0    ? &admin.data
                            : strcmp(argv[at], "--ca-file") == 0 ? &admin.ca_file
                                                                 : NULL;
        if (into == NULL || at + 1 == argc) {
            fprintf(stderr, "postbackd admin: %s: unknown, or without a value\n", argv[at]);
            return 2;
        }
        *into = argv[at + 1];
    }
    return run(&admin, argc - at, argv + at);
}
