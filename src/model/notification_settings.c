/* notification_settings.c — the settings of an event notification, read from and written as JSON.
 *
 * One table names every member with the function that reads it; a second one lists what clients
 * only read.  Members are read in the table's order whatever the order they came in.  Event types
 * depend on the category and data points on the event types, so those are settled after the table,
 * from what was given or, when nothing was, from what the settings held.
 *
 * The rule that must never break: a member that is wrong adds a problem and leaves its setting as
 * it was, and reading what notification_settings_write() wrote gives the same settings.
 */
#include "model/notification.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/json.h"
#include "model/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCALAR_TEXT = 32, LIST_TEXT_MAX = 16 * 1024, QUOTED_MAX = 80 };

static const char *const methods[] = {
    [METHOD_GET] = "GET", [METHOD_POST] = "POST", [METHOD_PUT] = "PUT"
};
static const char *const formats[] = {
    [BODY_JSON] = "JSON", [BODY_XML] = "XML", [BODY_FORM] = "FORM", [BODY_TEXT] = "TEXT"
};
enum {
    METHODS = sizeof(methods) / sizeof(methods[0]),
    FORMATS = sizeof(formats) / sizeof(formats[0]),
};

const char *method_name(enum method method)
{
    return (unsigned)method < METHODS ? methods[method] : "UNKNOWN";
}

const char *body_format_name(enum body_format format)
{
    return (unsigned)format < FORMATS ? formats[format] : "UNKNOWN";
}

/* ---- one member at a time ---- */

struct member {
    const char *name;
    void (*read)(struct notification_settings *settings, const struct member *member,
                 const json_t *value, struct problems *problems);
    size_t at;   /* of the setting in struct notification_settings */
    size_t most; /* bytes of a text, or the largest number */
};

/* How much of the client's own text goes into a message: at most QUOTED_MAX bytes, and never half
 * a character, which could not be sent as JSON. */
static int quoted(const char *text)
{
    size_t len = strlen(text);
    if (len > QUOTED_MAX) {
        len = QUOTED_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    return (int)len;
}

/* A string, integer or boolean as text ("" for null), in room where it needs one; NULL: none of
 * these, or text with a NUL byte in it. */
static const char *scalar(const json_t *value, char room[SCALAR_TEXT])
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? json_string_value(value)
                   : NULL;
    case JSON_INTEGER:
        snprintf(room, SCALAR_TEXT, "%lld", (long long)json_integer_value(value));
        return room;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        return "";
    default:
        return NULL;
    }
}

static void replace(char **text, const char *with)
{
    char *copy = must_copy(with);
    free(*text);
    *text = copy;
}

static void read_text(struct notification_settings *settings, const struct member *member,
                      const json_t *value, struct problems *problems)
{
    char room[SCALAR_TEXT];
    const char *text = scalar(value, room);
    if (json_number_text(value) != NULL)
        problems_add(problems, member->name, NUMBER_IS_NO_TEXT);
    else if (text == NULL)
        problems_add(problems, member->name, "must be text");
    else if (strlen(text) > member->most)
        problems_add(problems, member->name, "must have at most %zu bytes; this has %zu",
                     member->most, strlen(text));
    else
        replace((char **)(void *)((char *)settings + member->at), text);
}

static void read_name(struct notification_settings *settings, const struct member *member,
                      const json_t *value, struct problems *problems)
{
    char room[SCALAR_TEXT];
    const char *text = scalar(value, room);
    for (const char *c = text; c != NULL && *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            problems_add(problems, member->name, "must be one line without control characters");
            return;
        }
    }
    read_text(settings, member, value, problems);
}

static void read_number(struct notification_settings *settings, const struct member *member,
                        const json_t *value, struct problems *problems)
{
    char room[SCALAR_TEXT];
    const char *text = scalar(value, room);
    int64_t number = 0;
    if (text == NULL || json_is_boolean(value) ||
        (*text != '\0' && !text_int(text, 0, (int64_t)member->most, &number))) {
        problems_add(problems, member->name, "must be a whole number from 0 to %zu", member->most);
        return;
    }
    *(int *)(void *)((char *)settings + member->at) = (int)number;
}

static void read_flag(struct notification_settings *settings, const struct member *member,
                      const json_t *value, struct problems *problems)
{
    char room[SCALAR_TEXT];
    const char *text = scalar(value, room);
    bool flag = false;
    if (text == NULL || (*text != '\0' && !text_bool(text, &flag)))
        problems_add(problems, member->name, "must be true or false");
    else
        *(bool *)((char *)settings + member->at) = flag;
}

/* The index of a name in a table; -1: none, or not text. */
static int choice(const json_t *value, const char *const *names, int count)
{
    const char *text = json_string_value(value);
    for (int i = 0; text != NULL && i < count; i++) {
        if (text_same(text, names[i]))
            return i;
    }
    return -1;
}

static void read_method(struct notification_settings *settings, const struct member *member,
                        const json_t *value, struct problems *problems)
{
    int method = choice(value, methods, METHODS);
    if (method == -1)
        problems_add(problems, member->name, "must be GET, POST or PUT");
    else
        settings->method = (enum method)method;
}

static void read_format(struct notification_settings *settings, const struct member *member,
                        const json_t *value, struct problems *problems)
{
    char room[SCALAR_TEXT];
    const char *text = scalar(value, room);
    int format = text != NULL && *text == '\0' ? BODY_JSON : choice(value, formats, FORMATS);
    if (format == -1)
        problems_add(problems, member->name, "must be JSON, XML, FORM or TEXT");
    else
        settings->format = (enum body_format)format;
}

static void read_category(struct notification_settings *settings, const struct member *member,
                          const json_t *value, struct problems *problems)
{
    const char *text = json_string_value(value);
    const struct category *category = text == NULL ? NULL : catalog_category(text);
    if (category != NULL) {
        settings->category = category;
        return;
    }
    struct buf names = { .limit = 400 };
    size_t count;
    const struct category *known = catalog_categories(&count);
    for (size_t i = 0; i < count; i++)
        buf_fmt(&names, "%s%s", i == 0 ? "" : ", ", known[i].name);
    problems_add(problems, member->name, "must be one of: %s", buf_text(&names));
    buf_free(&names);
}

static void read_not_theirs(struct notification_settings *settings, const struct member *member,
                            const json_t *value, struct problems *problems)
{
    const json_t *entry;
    size_t i;
    (void)settings;
    /* What an answer showed may come back with it; it changes nothing. */
    if (json_is_string(value) && strcmp(json_string_value(value), "(hidden)") == 0)
        return;
    json_array_foreach(value, i, entry)
    {
        const char *shown = json_string_value(json_object_get(entry, "Value"));
        if (shown == NULL || strcmp(shown, "(hidden)") != 0)
            break;
    }
    if (!json_is_array(value) || i < json_array_size(value))
        problems_add(problems, member->name,
                     "is set by the operator: ask for it with a support request");
}

#define SETTING(name) offsetof(struct notification_settings, name)

/* EventTypes and QueryPoints are settled after the others: no function here. */
static const struct member members[] = {
    { "Name", read_name, SETTING(name), NOTIFICATION_NAME_MAX },
    { "Category", read_category, 0, 0 },
    { "Url", read_text, SETTING(url), NOTIFICATION_URL_MAX },
    { "Method", read_method, 0, 0 },
    { "BodyFormat", read_format, 0, 0 },
    { "BodyTemplate", read_text, SETTING(body), TEMPLATE_MAX },
    { "QueryPoints", NULL, 0, 0 },
    { "EventTypes", NULL, 0, 0 },
    { "MinimumDelay", read_number, SETTING(minimum_delay_s), NOTIFICATION_DELAY_MOST_S },
    { "MaximumRequests", read_number, SETTING(maximum_requests), NOTIFICATION_REQUESTS_MOST },
    { "MaximumConcurrentRequests", read_number, SETTING(maximum_concurrent),
      NOTIFICATION_CONCURRENT_MOST },
    { "SuccessResponse", read_text, SETTING(success_response), NOTIFICATION_RULE_MAX },
    { "ErrorResponse", read_text, SETTING(error_response), NOTIFICATION_RULE_MAX },
    { "AcceptAny2xx", read_flag, SETTING(accept_any_2xx), 0 },
    { "Ordered", read_flag, SETTING(ordered), 0 },
    { "CustomHeaders", read_not_theirs, 0, 0 },
    { "SigningSecret", read_not_theirs, 0, 0 },
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

/* What answers show besides the settings: ignored when a client sends one back. */
static const char *const read_only[] = {
    "Id",       "Uri",          "AccountSid",       "State",  "HeldReason",
    "Revision", "CreationDate", "ModifiedDate",     "Health", "PostbacksUri",
    "Tls",      "Destination",  "CustomHeadersFor", "TlsFor", "CredentialsWait",
};

static void check_known(const json_t *from, struct problems *problems)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)from, name, value)
    {
        bool known = false;
        for (size_t i = 0; i < MEMBERS && !known; i++)
            known = strcmp(name, members[i].name) == 0;
        for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]) && !known; i++)
            known = strcmp(name, read_only[i]) == 0;
        for (size_t i = 0; i < MEMBERS && !known; i++) {
            if (text_same(name, members[i].name)) {
                problems_add(problems, name, "is not a setting; %s is", members[i].name);
                known = true;
            }
        }
        if (!known)
            problems_add(problems, name, "is not a setting of an event notification");
    }
}

/* ---- lists of names ---- */

/* An array of names from an array or comma-separated text, the caller's; NULL with a problem. */
static json_t *names_of(const json_t *value, const char *field, struct problems *problems)
{
    const char *text = json_string_value(value);
    if (json_is_array(value))
        return json_incref((json_t *)value);
    if (!json_is_null(value) && (text == NULL || strlen(text) > LIST_TEXT_MAX)) {
        problems_add(problems, field, "must be an array of names, or names separated by commas");
        return NULL;
    }
    json_t *names = json_array();
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, ",");
        size_t from = strspn(text, " \t\r\n");
        size_t until = len;
        while (until > from && strchr(" \t\r\n", text[until - 1]) != NULL)
            until--;
        if (until > from)
            json_array_append_new(names, json_stringn(text + from, until - from));
        text += len + (text[len] == ',');
    }
    return names;
}

static void name_types_of(const struct category *category, struct buf *out)
{
    const struct event_type *type;
    size_t at = 0;
    while ((type = catalog_each(&at)) != NULL) {
        if (type->category == category && !type->deleted)
            buf_fmt(out, "%s%s", out->len == 0 ? "" : ", ", type->name);
    }
}

static bool has_type(const struct notification_settings *settings, const struct event_type *type)
{
    for (size_t i = 0; i < settings->type_count; i++) {
        if (settings->types[i]->number == type->number)
            return true;
    }
    return false;
}

static void read_types(struct notification_settings *settings, const json_t *names,
                       struct problems *problems)
{
    struct notification_settings read = { .type_count = 0 };
    bool right = true;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const struct event_type *type = name == NULL ? NULL : catalog_type(name);
        if (type == NULL) {
            problems_add(problems, "EventTypes", "\"%.*s\" is not an event type",
                         name == NULL ? 0 : quoted(name), name == NULL ? "" : name);
            right = false;
        } else if (read.type_count == NOTIFICATION_TYPES_MAX) {
            problems_add(problems, "EventTypes", "must be at most %d", (int)NOTIFICATION_TYPES_MAX);
            return;
        } else if (!has_type(&read, type)) {
            read.types[read.type_count++] = type;
        }
    }
    if (!right)
        return;
    memcpy(settings->types, read.types, sizeof(read.types));
    settings->type_count = read.type_count;
}

static void choose_default_types(struct notification_settings *settings)
{
    const struct event_type *type;
    size_t at = 0;
    while (settings->type_count < NOTIFICATION_TYPES_MAX && (type = catalog_each(&at)) != NULL) {
        if (type->category == settings->category && type->by_default && !type->deleted)
            settings->types[settings->type_count++] = type;
    }
}

/* A new category with the old one's event types is refused rather than guessed at. */
static void settle_types(struct notification_settings *settings, const json_t *given,
                         struct problems *problems)
{
    if (given != NULL) {
        json_t *names = names_of(given, "EventTypes", problems);
        if (names != NULL)
            read_types(settings, names, problems);
        json_decref(names);
    }
    if (settings->category == NULL)
        return;
    struct buf wrong = { .limit = 200 }, right = { .limit = 250 };
    for (size_t i = 0; i < settings->type_count; i++) {
        if (settings->types[i]->category != settings->category)
            buf_fmt(&wrong, "%s%s", wrong.len == 0 ? "" : ", ", settings->types[i]->name);
    }
    if (wrong.len > 0) {
        name_types_of(settings->category, &right);
        problems_add(problems, "EventTypes", "not of %s: %s; its event types are %s",
                     settings->category->name, buf_text(&wrong), buf_text(&right));
    }
    if (settings->type_count == 0)
        choose_default_types(settings);
    buf_free(&wrong);
    buf_free(&right);
}

/* A data point of one of the chosen types; NULL: none has it. */
static const struct data_point *find_point(const struct notification_settings *settings,
                                           const char *name)
{
    const struct data_point *point = NULL;
    for (size_t i = 0; i < settings->type_count && point == NULL; i++)
        point = catalog_point(settings->types[i], name, strlen(name));
    return point;
}

static bool has_point(const struct notification_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->query_count; i++) {
        if (strcmp(settings->query[i]->name, name) == 0)
            return true;
    }
    return false;
}

static void read_points(struct notification_settings *settings, const json_t *names,
                        struct problems *problems)
{
    struct notification_settings read = { .query_count = 0 };
    bool right = true;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const struct data_point *point = name == NULL ? NULL : find_point(settings, name);
        if (point == NULL) {
            problems_add(problems, "QueryPoints",
                         "\"%.*s\" is not a data point of the chosen event types",
                         name == NULL ? 0 : quoted(name), name == NULL ? "" : name);
            right = false;
        } else if (read.query_count == NOTIFICATION_POINTS_MAX) {
            problems_add(problems, "QueryPoints", "must be at most %d",
                         (int)NOTIFICATION_POINTS_MAX);
            return;
        } else if (!has_point(&read, name)) {
            read.query[read.query_count++] = point;
        }
    }
    if (!right)
        return;
    memcpy(settings->query, read.query, sizeof(read.query));
    settings->query_count = read.query_count;
}

/* Those held already are looked up again, since the event types may be others now. */
static void settle_points(struct notification_settings *settings, const json_t *given,
                          struct problems *problems)
{
    json_t *names;
    if (settings->type_count == 0)
        return; /* the category is wrong, and said to be */
    if (given != NULL) {
        names = names_of(given, "QueryPoints", problems);
    } else {
        names = json_array();
        for (size_t i = 0; i < settings->query_count; i++)
            json_array_append_new(names, json_string(settings->query[i]->name));
    }
    if (names != NULL)
        read_points(settings, names, problems);
    json_decref(names);
}

/* ---- the whole ---- */

static void set_defaults(struct notification_settings *settings)
{
    settings->name = must_copy("");
    settings->url = must_copy("");
    settings->body = must_copy("");
    settings->success_response = must_copy("");
    settings->error_response = must_copy("");
    settings->method = METHOD_POST;
    settings->format = BODY_JSON;
}

void notification_settings_read(struct notification_settings *settings, const json_t *from,
                                struct problems *problems)
{
    bool is_new = settings->url == NULL;
    if (is_new)
        set_defaults(settings);
    if (!json_is_object(from)) {
        problems_add(problems, "", "the settings must be an object");
        return;
    }
    check_known(from, problems);
    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *value = json_object_get(from, members[i].name);
        if (value != NULL && members[i].read != NULL)
            members[i].read(settings, &members[i], value, problems);
    }
    if (is_new && json_object_get(from, "Method") == NULL)
        problems_add(problems, "Method", "is required: GET, POST or PUT");
    settle_types(settings, json_object_get(from, "EventTypes"), problems);
    settle_points(settings, json_object_get(from, "QueryPoints"), problems);
}

static void write_text(json_t *out, const char *name, const char *text)
{
    json_object_set_new(out, name, json_string(text == NULL ? "" : text));
}

static void write_number(json_t *out, const char *name, int number)
{
    json_object_set_new(out, name, json_sprintf("%d", number));
}

static void write_flag(json_t *out, const char *name, bool flag)
{
    json_object_set_new(out, name, json_string(flag ? "true" : "false"));
}

void notification_name_check(const struct notification_settings *settings, const char *before,
                             struct problems *problems)
{
    const char *name = settings->name != NULL ? settings->name : "";
    if (before == NULL || strcmp(before, name) != 0)
        name_check(name, "Name", problems);
}

json_t *notification_settings_write(const struct notification_settings *settings)
{
    json_t *out = json_object(), *points = json_array(), *types = json_array();
    for (size_t i = 0; i < settings->query_count; i++)
        json_array_append_new(points, json_string(settings->query[i]->name));
    for (size_t i = 0; i < settings->type_count; i++)
        json_array_append_new(types, json_string(settings->types[i]->name));

    write_text(out, "Name", settings->name);
    write_text(out, "Category", settings->category == NULL ? "" : settings->category->name);
    write_text(out, "Url", settings->url);
    write_text(out, "Method", method_name(settings->method));
    write_text(out, "BodyFormat", body_format_name(settings->format));
    write_text(out, "BodyTemplate", settings->body);
    json_object_set_new(out, "QueryPoints", points);
    json_object_set_new(out, "EventTypes", types);
    write_number(out, "MinimumDelay", settings->minimum_delay_s);
    write_number(out, "MaximumRequests", settings->maximum_requests);
    write_number(out, "MaximumConcurrentRequests", settings->maximum_concurrent);
    write_text(out, "SuccessResponse", settings->success_response);
    write_text(out, "ErrorResponse", settings->error_response);
    write_flag(out, "AcceptAny2xx", settings->accept_any_2xx);
    write_flag(out, "Ordered", settings->ordered);
    return out;
}

void notification_settings_free(struct notification_settings *settings)
{
    free(settings->name);
    free(settings->url);
    free(settings->body);
    free(settings->success_response);
    free(settings->error_response);
    *settings = (struct notification_settings){ 0 };
}
