/* config.c — the settings' table and its three readers (file, environment, flags).
 *
 * Each reader only finds (name, text, where); set() does the check and the storing, so a value
 * means the same wherever it was written.  Weaker sources are read first and overwritten.
 */
#include "base/config.h"

#include "base/config_file.h"
#include "base/fail.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, CHOICE, NUMBER, LIST };

struct option_row {
    const char *name;     /* flag and file key; the variable is POSTBACKD_NAME */
    const char *argument; /* as help shows it */
    enum kind kind;
    size_t offset; /* in struct config */
    const char *fallback;
    int64_t least, most; /* NUMBER */
    const char *choices; /* CHOICE: "text json" */
    const char *help;
};

#define AT(member) offsetof(struct config, member)
static const struct option_row rows[] = {
    { "data", "DIR", TEXT, AT(data), NULL, 0, 0, NULL,
      "directory of the store and its key; made at the first start (required)" },
    { "store", "URI", TEXT, AT(store), NULL, 0, 0, NULL,
      "postgresql://USER@HOST/DATABASE, a store that nodes share; a file in --data if not given" },
    { "store-password-file", "FILE", TEXT, AT(store_password_file), NULL, 0, 0, NULL,
      "its first line is the password for --store" },
    { "key-file", "FILE", TEXT, AT(key_file), NULL, 0, 0, NULL,
      "the key that seals secrets, the same on all nodes; secret.key in --data if not given" },
    { "listen", "ADDR:PORT", TEXT, AT(listen), "127.0.0.1:8080", 0, 0, NULL,
      "where the API is served; port 0 takes a free one" },
    { "public-url", "URL", TEXT, AT(public_url), NULL, 0, 0, NULL,
      "where people reach the pages; with https their cookies are Secure" },
    { "portal-origin", "ORIGIN", LIST, AT(portal_origin), NULL, 0, 0, NULL,
      "whose pages may show accounts' portals in a frame; may be given again" },
    { "allow-egress", "CIDR", LIST, AT(allow_egress), NULL, 0, 0, NULL,
      "private addresses that postbacks may go to; may be given again" },
    { "trusted-proxy", "CIDR", LIST, AT(trusted_proxy), NULL, 0, 0, NULL,
      "proxies whose Forwarded or X-Forwarded-For tells the client; may be given again" },
    { "egress-proxy", "URL", TEXT, AT(egress_proxy), NULL, 0, 0, NULL,
      "http://[USER:PASSWORD@]HOST:PORT; postbacks go through it by CONNECT" },
    { "ca-file", "FILE", TEXT, AT(ca_file), NULL, 0, 0, NULL,
      "PEM file of further certificate authorities for receivers" },
    { "name-servers", "ADDRESSES", TEXT, AT(name_servers), NULL, 0, 0, NULL,
      "name servers, ADDR:PORT, with commas between; those of /etc/resolv.conf if not given" },
    { "rate-limit", "N", NUMBER, AT(rate_limit), "1000", 0, 1000000000, NULL,
      "API requests an hour for each account; 0: no limit" },
    { "deadline", "SECONDS", NUMBER, AT(deadline_s), "30", 1, 600, NULL,
      "for one whole attempt: connecting, sending, the answer" },
    { "drain", "SECONDS", NUMBER, AT(drain_s), "10", 0, 600, NULL,
      "how long SIGTERM waits for what is in flight" },
    { "keep-days", "N", NUMBER, AT(keep_days), "30", 0, 36500, NULL,
      "days until ended postbacks and their events are deleted; 0: never" },
    { "account-waiting", "N", NUMBER, AT(account_waiting), "5000000", 0, 1000000000000, NULL,
      "postbacks of an account that may wait; past it its events are refused; 0: no limit" },
    { "account-waiting-bytes", "BYTES", NUMBER, AT(account_waiting_bytes), "4294967296", 0,
      1000000000000000, NULL, "… and the bytes of their events; 0: no limit" },
    { "disk-alarm", "BYTES", NUMBER, AT(disk_alarm), "1073741824", 0, 1000000000000000, NULL,
      "the operator is told when the disk has less room than that; 0: never" },
    { "give-up-after", "SECONDS", NUMBER, AT(give_up_s), "0", 0, 3153600000, NULL,
      "age at which an undelivered postback is given up; 0: never" },
    { "sendmail", "PATH", TEXT, AT(sendmail), NULL, 0, 0, NULL,
      "program that takes mail as `sendmail -t` does; without it no mail is sent" },
    { "late-after", "SECONDS", NUMBER, AT(late_s), "900", 1, 86400, NULL,
      "a postback that waits for longer is shown as late" },
    { "alarm-after", "SECONDS", NUMBER, AT(alarm_s), "3600", 1, 604800, NULL,
      "… and after so long its account and the operator are told" },
    { "node", "N", NUMBER, AT(node), "0", 0, 1023, NULL,
      "this server's number in ids; a store on PostgreSQL gives it itself" },
    { "trust-clock", "ANSWER", CHOICE, AT(trust_clock), "no", 0, 0, "no yes",
      "yes: the clock is right although it is years ahead of the newest id" },
    { "log-format", "FORMAT", CHOICE, AT(log_format), "text", 0, 0, "text json",
      "one line an event: text or json" },
    { "log-level", "LEVEL", CHOICE, AT(log_level), "info", 0, 0, "debug info warn error",
      "the least that is logged: debug, info, warn or error" },
    { "config", "FILE", TEXT, AT(file), NULL, 0, 0, NULL,
      "file of these settings, one `name = value` a line" },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), NODE_UNSAID = -1 };

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == len && memcmp(at, text, len) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

static bool set_list(struct text_list *list, const char *text, const char *where,
                     struct error *error)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ", ");
        if (len > 0 && list->count == CONFIG_LIST_MAX) {
            error_set(error, ERROR_INVALID, "%s: more than %d entries", where, CONFIG_LIST_MAX);
            return false;
        }
        if (len > 0)
            list->items[list->count++] = must_copy_bytes(text, len);
        text += len + (text[len] != '\0');
    }
    return true;
}

static bool set(struct config *config, const struct option_row *row, const char *text,
                const char *where, struct error *error)
{
    void *member = (char *)config + row->offset;
    int64_t number;
    switch (row->kind) {
    case NUMBER:
        if (!text_int(text, row->least, row->most, &number)) {
            error_set(error, ERROR_INVALID, "%s: \"%.60s\" is not a whole number from %lld to %lld",
                      where, text, (long long)row->least, (long long)row->most);
            return false;
        }
        *(int64_t *)member = number;
        return true;
    case LIST:
        return set_list(member, text, where, error);
    case CHOICE:
        if (!is_choice(row->choices, text)) {
            error_set(error, ERROR_INVALID, "%s: \"%.60s\" is none of: %s", where, text,
                      row->choices);
            return false;
        }
        break;
    case TEXT:
        if (*text == '\0') {
            error_set(error, ERROR_INVALID, "%s: empty; expected %s", where, row->argument);
            return false;
        }
    }
    free(*(char **)member);
    *(char **)member = must_copy(text);
    return true;
}

static const struct option_row *row_named(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

struct file_reader {
    struct config *config;
    const char *path;
    int lines[ROWS]; /* where each was set; 0: not yet */
};

static bool file_setting(void *context, const char *name, const char *value, int line,
                         struct error *error)
{
    struct file_reader *reader = context;
    char where[400];
    snprintf(where, sizeof(where), "%.300s, line %d: %.60s", reader->path, line, name);
    const struct option_row *row = row_named(name);
    if (row == NULL || row->offset == AT(file)) {
        error_set(error, ERROR_INVALID,
                  "%s: no such setting; `postbackd serve --help` "
                  "lists them",
                  where);
        return false;
    }
    int *before = &reader->lines[row - rows];
    if (*before != 0 && row->kind != LIST) {
        error_set(error, ERROR_INVALID, "%s: is set on line %d already; keep one of them", where,
                  *before);
        return false;
    }
    *before = line;
    return set(reader->config, row, value, where, error);
}

static bool read_file(struct config *config, const char *path, struct error *error)
{
    struct file_reader reader = { .config = config, .path = path };
    return config_file_read(path, file_setting, &reader, error);
}

static const char *variable_name(const struct option_row *row, char name[64])
{
    int len = snprintf(name, 64, "POSTBACKD_%s", row->name);
    for (int i = 0; i < len; i++)
        if (name[i] == '-')
            name[i] = '_';
        else if (name[i] >= 'a' && name[i] <= 'z')
            name[i] = (char)(name[i] - 'a' + 'A');
    return name;
}

static bool read_variables(struct config *config, struct error *error)
{
    for (size_t i = 0; i < ROWS; i++) {
        char name[64];
        const char *text = getenv(variable_name(&rows[i], name));
        if (text != NULL && !set(config, &rows[i], text, name, error))
            return false;
    }
    return true;
}

/* Whether "password=" stands where a keyword of libpq's may: behind the `?` or an `&` of an
 * address, or as a word of a list; sslpassword is one too. */
static bool names_password(const char *text)
{
    for (const char *at = text; (at = strstr(at, "password")) != NULL;) {
        bool begins = at == text || strchr("?& ", at[-1]) != NULL ||
                      (at - text >= 3 && memcmp(at - 3, "ssl", 3) == 0);
        at += strlen("password");
        if (begins && at[strspn(at, " ")] == '=')
            return true;
    }
    return false;
}

bool config_has_password(const char *uri)
{
    const char *user = strstr(uri, "://");
    if (user == NULL)
        return names_password(uri);
    user += 3;
    size_t len = strcspn(user, "/?");
    const char *end = memchr(user, '@', len);
    return (end != NULL && memchr(user, ':', (size_t)(end - user)) != NULL) || names_password(user);
}

/* 0, 1 for help, -1.  Only --config is looked at when `only_file`. */
static int read_flags(struct config *config, int argc, char **argv, bool only_file,
                      struct error *error)
{
    struct option flags[ROWS + 2] = { [ROWS] = { "help", no_argument, NULL, 'h' } };
    for (int i = 0; i < ROWS; i++)
        flags[i] = (struct option){ rows[i].name, required_argument, NULL, 1000 + i };
    optind = 0;
    opterr = 0;
    int flag;
    while ((flag = getopt_long(argc, argv, "+:h", flags, NULL)) != -1) {
        if (flag == 'h')
            return 1;
        if (flag == ':' || flag == '?') {
            error_set(error, ERROR_INVALID,
                      flag == ':' ? "%s needs a value" : "%s is no setting; --help lists them",
                      argv[optind - 1]);
            return -1;
        }
        const struct option_row *row = &rows[flag - 1000];
        char where[64];
        snprintf(where, sizeof(where), "--%s", row->name);
        if (only_file != (row->offset == AT(file)))
            continue;
        if (row->offset == AT(store) && config_has_password(optarg)) {
            error_set(error, ERROR_INVALID,
                      "--store holds a password, which everybody on this machine could read in the "
                      "list of processes: put it into --store-password-file, .pgpass, the settings "
                      "file or POSTBACKD_STORE");
            return -1;
        }
        if (!set(config, row, optarg, where, error))
            return -1;
    }
    if (optind < argc) {
        error_set(error, ERROR_INVALID, "%s: not expected here; settings start with --",
                  argv[optind]);
        return -1;
    }
    return 0;
}

/* What only makes sense together. */
static bool fits(struct config *config, struct error *error)
{
    const char *why = NULL;
    if (config->data == NULL)
        why = "--data DIR is required: where the store is kept";
    else if (config->store != NULL && config->node != NODE_UNSAID)
        why = "--node: a store on PostgreSQL gives each node its number itself";
    else if (config->store == NULL && config->store_password_file != NULL)
        why = "--store-password-file goes with --store, which is not given";
    if (why != NULL)
        error_set(error, ERROR_INVALID, "%s", why);
    if (config->node == NODE_UNSAID)
        config->node = 0;
    return why == NULL;
}

int config_read(struct config *config, int argc, char **argv, struct error *error)
{
    *config = (struct config){ 0 };
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].fallback != NULL)
            set(config, &rows[i], rows[i].fallback, "default", error);
    config->node = NODE_UNSAID;
    char name[64];
    const char *file = getenv(variable_name(row_named("config"), name));
    int result = read_flags(config, argc, argv, true, error);
    if (result == 0 && config->file == NULL && file != NULL)
        config->file = must_copy(file);
    if (result == 0 && config->file != NULL && !read_file(config, config->file, error))
        result = -1;
    if (result == 0 && !read_variables(config, error))
        result = -1;
    if (result == 0)
        result = read_flags(config, argc, argv, false, error);
    if (result == 0 && !fits(config, error))
        result = -1;
    if (result != 0)
        config_free(config);
    return result;
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct text_list *list = (struct text_list *)((char *)config + rows[i].offset);
        for (size_t at = 0; rows[i].kind == LIST && at < list->count; at++)
            free(list->items[at]);
        if (rows[i].kind == TEXT || rows[i].kind == CHOICE) {
            char *text = *(char **)((char *)config + rows[i].offset);
            if (text != NULL)
                explicit_bzero(text, strlen(text)); /* a proxy's password */
            free(text);
        }
    }
    *config = (struct config){ 0 };
}

void config_help(struct buf *out)
{
    for (size_t i = 0; i < ROWS; i++) {
        char left[64];
        snprintf(left, sizeof(left), "--%s %s", rows[i].name, rows[i].argument);
        buf_fmt(out, "  %-24s %s", left, rows[i].help);
        if (rows[i].fallback != NULL)
            buf_fmt(out, " [%s]", rows[i].fallback);
        buf_char(out, '\n');
    }
}
