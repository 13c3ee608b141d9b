/* points.c — the values of an event by name.
 *
 * One walk over the event's canonical text notes where each member's name and value stand; nothing
 * is decoded or copied.  A value is decoded when it is first asked for, into an
 * arena as long as the text, at the place that the value has in the text: a decoded string is
 * never longer than its escaped form, and the NUL goes where the closing quote (or the comma
 * behind a list) was, so that no two values can meet.
 *
 * The rules that must never break: the walk accepts only whole JSON, so that lists and the default
 * body can be copied out as they are; and a value that is not open to the reader comes out by no
 * way.
 */
#include "model/event.h"

#include "base/digits.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, NUMBER_TEXT = DIGITS_OF_INT };

enum common { EVENT_ID, EVENT_TYPE, EVENT_TIME, ACCOUNT_SID, POSTBACK_ID, ATTEMPT };

struct member {
    const char *name;  /* in the event's text */
    const char *value; /* of a string: behind its quote */
    size_t name_len, value_len;
    bool is_list;
    bool decoded; /* is in the arena */
    bool closed;  /* on request, and not open to who reads: as if it were not there */
    json_t *list; /* NULL until asked for */
};

struct points {
    const struct event *event;
    struct points_context context;
    char event_id[NUMBER_TEXT], event_time[DATE_TEXT], postback_id[NUMBER_TEXT],
        attempt[NUMBER_TEXT]; /* written when asked for */
    size_t hint;              /* the member behind the last one found */
    bool walked;              /* the members are known */
    size_t count;
    char *arena;
    struct member *members;
};

/* ---- the walk ---- */

static const char *space(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    return at;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Each walk_* takes the first byte of what it walks over and gives the byte behind it, or NULL. */
static const char *walk_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        if ((unsigned char)*at < ' ') /* the NUL at the text's end, too */
            return NULL;
        if (*at != '\\')
            continue;
        at++;
        if (*at == 'u') {
            if (!is_hex(at[1]) || !is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4]) ||
                memcmp(at + 1, "0000", 4) == 0)
                return NULL;
            at += 4;
        } else if (*at == '\0' || strchr("\"\\/bfnrt", *at) == NULL) {
            return NULL;
        }
    }
    return at + 1;
}

static const char *walk_digits(const char *at)
{
    size_t len = strspn(at, "0123456789");
    return len > 0 ? at + len : NULL;
}

static const char *walk_number(const char *at)
{
    at += *at == '-';
    at = *at == '0' ? at + 1 : walk_digits(at);
    if (at != NULL && *at == '.')
        at = walk_digits(at + 1);
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        at = walk_digits(at + (*at == '+' || *at == '-'));
    }
    return at;
}

static const char *walk_word(const char *at)
{
    static const char *const words[] = { "true", "false", "null" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    return NULL;
}

static const char *walk_value(const char *at, int depth);

/* The members of an object or the items of an array, with their brackets. */
static const char *walk_nested(const char *at, int depth)
{
    char close = *at == '{' ? '}' : ']';
    at = space(at + 1);
    if (*at == close)
        return at + 1;
    for (;; at = space(at + 1)) {
        if (close == '}') {
            at = *at == '"' ? walk_string(at) : NULL;
            if (at == NULL || *(at = space(at)) != ':')
                return NULL;
            at = space(at + 1);
        }
        at = walk_value(at, depth + 1);
        if (at == NULL)
            return NULL;
        at = space(at);
        if (*at == close)
            return at + 1;
        if (*at != ',')
            return NULL;
    }
}

static const char *walk_value(const char *at, int depth)
{
    if (depth > DEPTH_MAX)
        return NULL;
    if (*at == '"')
        return walk_string(at);
    if (*at == '{' || *at == '[')
        return walk_nested(at, depth);
    if (*at == '-' || (*at >= '0' && *at <= '9'))
        return walk_number(at);
    return walk_word(at);
}

/* One member from its name's quote on. */
static const char *walk_member(const char *at, struct member *member)
{
    if (*at != '"')
        return NULL;
    const char *end = walk_string(at);
    if (end == NULL)
        return NULL;
    *member = (struct member){ .name = at + 1, .name_len = (size_t)(end - at) - 2 };
    at = space(end);
    if (*at != ':')
        return NULL;
    at = space(at + 1);
    member->is_list = *at == '[';
    if (!member->is_list && *at != '"')
        return NULL; /* canonical data has only strings and lists */
    end = walk_value(at, 0);
    if (end == NULL)
        return NULL;
    member->value = member->is_list ? at : at + 1;
    member->value_len = (size_t)(end - at) - (member->is_list ? 0 : 2);
    return end;
}

/* How many members the event's data has, or -1: damaged. */
static int walk_data(const struct event *event, struct member members[CATALOG_POINTS_MAX])
{
    const char *at = event->data;
    int count = 0;
    if (event->data_len < 2 || strlen(event->data) != event->data_len || at[0] != '{' ||
        at[event->data_len - 1] != '}')
        return -1;
    at = space(at + 1);
    if (*at != '}') {
        for (;; at = space(at + 1)) {
            if (count == CATALOG_POINTS_MAX)
                return -1;
            at = walk_member(at, &members[count++]);
            if (at == NULL)
                return -1;
            at = space(at);
            if (*at == '}')
                break;
            if (*at != ',')
                return -1;
        }
    }
    return at + 1 == event->data + event->data_len ? count : -1;
}

/* Closes the members of data points that are on request and not open. */
static void close_members(struct points *points)
{
    const struct event_type *type = points->event->type;
    for (size_t i = 0; i < type->point_count; i++) {
        if (opened_has(points->context.opened, &type->points[i]))
            continue;
        const char *name = type->points[i].name;
        size_t len = strlen(name);
        for (size_t at = 0; at < points->count; at++) {
            struct member *member = &points->members[at];
            if (member->name_len == len && memcmp(member->name, name, len) == 0)
                member->closed = true;
        }
    }
}

/* False: the data is damaged. */
static bool walk(struct points *points)
{
    struct member members[CATALOG_POINTS_MAX];
    int count = walk_data(points->event, members);
    if (count == -1)
        return false;
    points->walked = true;
    points->count = (size_t)count;
    points->members = must_resize(NULL, points->count * sizeof(members[0]) + 1);
    memcpy(points->members, members, points->count * sizeof(members[0]));
    close_members(points);
    return true;
}

/* How many members there are. */
static size_t members_of(struct points *points)
{
    if (!points->walked && !walk(points))
        bug("the data of event %lld was checked and is damaged", (long long)points->event->id);
    return points->count;
}

struct points *points_new(const struct event *event, const struct points_context *context)
{
    struct points *points = must_alloc(sizeof(*points));
    points->event = event;
    points->context = *context;
    if (event->checked || walk(points))
        return points;
    free(points);
    return NULL;
}

void points_free(struct points *points)
{
    if (points == NULL)
        return;
    for (size_t i = 0; i < points->count; i++)
        json_decref(points->members[i].list);
    free(points->members);
    free(points->arena);
    free(points);
}

/* ---- the values ---- */

static unsigned hex4(const char *at)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        code = code * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

/* \uXXXX, or two of them for one character; half a pair becomes U+FFFD.  `at` is the 'u'; gives
 * the byte behind. */
static const char *unescape_unicode(const char *at, const char *end, char **out)
{
    unsigned code = hex4(at + 1);
    at += 5;
    if (code >= 0xd800 && code <= 0xdfff) {
        unsigned low = 0;
        if (code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u')
            low = hex4(at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        } else {
            code = 0xfffd;
        }
    }
    *out = put_utf8(*out, code);
    return at;
}

static void unescape(char *out, const char *at, const char *end)
{
    static const char letters[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t len = (size_t)((escape != NULL ? escape : end) - at);
        memcpy(out, at, len);
        out += len;
        at += len;
        if (escape == NULL)
            break;
        if (at[1] == 'u') {
            at = unescape_unicode(at + 1, end, &out);
        } else {
            *out++ = letters[(unsigned char)at[1]];
            at += 2;
        }
    }
    *out = '\0';
}

static const char *member_text(struct points *points, struct member *member)
{
    const struct event *event = points->event;
    if (points->arena == NULL) {
        points->arena = malloc(event->data_len + 1);
        if (points->arena == NULL)
            die("out of memory for the values of an event");
    }
    char *text = points->arena + (member->value - event->data);
    if (!member->decoded) {
        if (member->is_list) {
            memcpy(text, member->value, member->value_len);
            text[member->value_len] = '\0';
        } else {
            unescape(text, member->value, member->value + member->value_len);
        }
        member->decoded = true;
    }
    return text;
}

static const json_t *member_list(struct member *member)
{
    if (member->is_list && member->list == NULL)
        member->list = json_loadb(member->value, member->value_len, 0, NULL);
    return member->list;
}

/* Templates mostly name data points in the catalog's order, which is that of the data. */
static struct member *find(struct points *points, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < members_of(points); i++) {
        size_t at = (points->hint + i) % points->count;
        struct member *member = &points->members[at];
        if (member->name_len == len && memcmp(member->name, name, len) == 0) {
            points->hint = at + 1;
            return member->closed ? NULL : member;
        }
    }
    return NULL;
}

static const char *number_text(char out[NUMBER_TEXT], int64_t number)
{
    digits_of_int(out, number);
    return out;
}

static const char *common_text(struct points *points, enum common common)
{
    const struct points_context *context = &points->context;
    switch (common) {
    case EVENT_ID:
        return number_text(points->event_id, points->event->id);
    case EVENT_TYPE:
        return points->event->type->name;
    case EVENT_TIME:
        return date_format_ms(points->event_time, points->event->occurred_at);
    case ACCOUNT_SID:
        return context->account_sid != NULL ? context->account_sid : "";
    case POSTBACK_ID:
        return context->postback != 0 ? number_text(points->postback_id, context->postback) : "";
    case ATTEMPT:
        return number_text(points->attempt, context->attempt);
    }
    bug("common data point %d is unknown", (int)common);
}

const char *points_get(struct points *points, const struct data_point *point)
{
    size_t count;
    const struct data_point *common = catalog_common(&count);
    if (point >= common && point < common + count)
        return common_text(points, (enum common)(point - common));
    struct member *member = find(points, point->name);
    return member != NULL ? member_text(points, member) : "";
}

const json_t *points_json(struct points *points, const struct data_point *point)
{
    struct member *member = find(points, point->name);
    return member != NULL ? member_list(member) : NULL;
}

/* Whether the text may hold what is not open: a look at the text, so that most need no walk. */
static bool may_hide(const struct points *points)
{
    const struct event *event = points->event;
    if (event->checked && !event->on_request)
        return false;
    for (size_t i = 0; i < event->type->point_count; i++) {
        const struct data_point *point = &event->type->points[i];
        if (!opened_has(points->context.opened, point) &&
            memmem(event->data, event->data_len, point->name, strlen(point->name)) != NULL)
            return true;
    }
    return false;
}

/* All that stands inside the braces; it was read, so it is an object. */
static void copy_whole(const struct event *event, struct buf *out)
{
    size_t start = 1 + strspn(event->data + 1, " \t\r\n");
    if (event->data[start] == '}')
        return;
    buf_char(out, ',');
    buf_add(out, event->data + start, event->data_len - start - 1);
}

/* Behind the value, and a text's closing quote. */
static const char *member_end(const struct member *member)
{
    return member->value + member->value_len + !member->is_list;
}

void points_copy(struct points *points, struct buf *out)
{
    if (!may_hide(points)) {
        copy_whole(points->event, out);
        return;
    }
    size_t count = members_of(points);
    for (size_t i = 0; i < count; i++) {
        if (points->members[i].closed)
            continue;
        const char *start = points->members[i].name - 1; /* its quote */
        while (i + 1 < count && !points->members[i + 1].closed)
            i++;
        buf_char(out, ',');
        buf_add(out, start, (size_t)(member_end(&points->members[i]) - start));
    }
}

bool points_each(struct points *points, size_t *at, struct point_value *value)
{
    while (*at < members_of(points) && points->members[*at].closed)
        (*at)++;
    if (*at == members_of(points))
        return false;
    struct member *member = &points->members[(*at)++];
    value->name = member->name;
    value->name_len = member->name_len;
    value->text = member_text(points, member);
    value->list = member_list(member);
    return true;
}
