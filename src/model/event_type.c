/* event_type.c — the definitions of the event types that the operator adds.
 *
 * A type is read into memory of its own, strings copied, because it stays for as long as the
 * program runs.  A data point's sample is checked as the Data of an event would be: test postbacks
 * and previews are made of samples, so they must be right, and together no longer than an event.
 */
#include "model/event_type.h"

#include "base/fail.h"
#include "model/event.h"
#include "model/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINT_NAME_MAX = 40, FIELD_TEXT = 60 };

static const char point_type_names[] = "must be text, integer, money, date, enum, url or list";

/* ---- memory ---- */

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void point_free(const struct data_point *point)
{
    free_text(point->name);
    free_text(point->meaning);
    free_text(point->sample);
}

void event_type_free(struct event_type *type)
{
    if (type == NULL)
        return;
    for (size_t i = 0; i < type->point_count; i++)
        point_free(&type->points[i]);
    free((void *)(uintptr_t)type->points);
    free_text(type->name);
    free_text(type->meaning);
    free(type);
}

struct event_type *event_type_retired(const struct event_type *type)
{
    struct event_type *retired = must_alloc(sizeof(*retired));
    struct data_point *points = must_alloc((type->point_count + 1) * sizeof(*points));
    *retired = *type;
    retired->deleted = true;
    retired->name = must_copy(type->name);
    retired->meaning = must_copy(type->meaning);
    for (size_t i = 0; i < type->point_count; i++) {
        const struct data_point *from = &type->points[i];
        points[i] =
            (struct data_point){ must_copy(from->name), from->type, must_copy(from->meaning),
                                 must_copy(from->sample), from->on_request };
    }
    retired->points = points;
    return retired;
}

/* ---- names ---- */

/* Words of small letters, digits and '_', two or more of them with dots between. */
static bool is_type_name(const char *name)
{
    size_t words = 0;
    for (;; name++, words++) {
        if (*name < 'a' || *name > 'z')
            return false;
        name += strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (*name == '\0')
            return words > 0;
        if (*name != '.')
            return false;
    }
}

static bool is_point_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return *name >= 'A' && *name <= 'Z' && name[strspn(name, letters)] == '\0';
}

static void read_name(struct event_type *type, const struct fields *fields,
                      const struct event_type *before)
{
    char *name = fields_text(fields, "Name", EVENT_TYPE_NAME_MAX, 0,
                             before == NULL ? "the event type's name" : NULL);
    if (name != NULL && before != NULL && strcmp(name, before->name) != 0)
        problems_add(fields->problems, "Name", "cannot be changed");
    else if (name != NULL && !is_type_name(name))
        problems_add(fields->problems, "Name",
                     "must be small letters, digits and _, with a dot, as shop.order_shipped");
    if (name == NULL && before != NULL)
        name = must_copy(before->name);
    type->name = name != NULL ? name : must_copy("");
}

static void read_category(struct event_type *type, const struct fields *fields,
                          const struct event_type *before)
{
    char *name = fields_text(fields, "Category", 60, 0, NULL);
    type->category = before != NULL ? before->category : catalog_category("platform");
    if (name != NULL) {
        const struct category *given = catalog_category(name);
        if (given == NULL)
            problems_add(fields->problems, "Category",
                         "must be a category of the event catalog, as Platform Events");
        else if (before != NULL && given != before->category)
            problems_add(fields->problems, "Category", "cannot be changed");
        else
            type->category = given;
    }
    type->by_default = type->category == catalog_category("platform");
    free(name);
}

static void read_meaning(struct event_type *type, const struct fields *fields,
                         const struct event_type *before)
{
    char *meaning = fields_text(fields, "Meaning", EVENT_TYPE_MEANING_MAX, 0,
                                before == NULL ? "one line that says what happened" : NULL);
    if (meaning == NULL)
        meaning = must_copy(before != NULL ? before->meaning : "");
    type->meaning = meaning;
}

/* ---- data points ---- */

struct point_fields {
    struct fields fields;
    struct problems problems; /* named by member; moved under "DataPoints[i]." */
    size_t at;
};

static void sample_problem(const struct point_fields *from, const char *message)
{
    problems_add(from->fields.problems, "Sample", "%s", message);
}

/* As text; a list's may be given as an array, and is written compactly. */
static char *read_sample(const struct point_fields *from, enum point_type type)
{
    const json_t *given = json_object_get(from->fields.from, "Sample");
    json_t *value = NULL;
    char *text;
    if (type == POINT_LIST && json_is_array(given)) {
        value = json_incref((json_t *)given);
    } else if (type == POINT_LIST) {
        const char *written = json_string_value(given);
        value = written != NULL ? json_loads(written, JSON_REJECT_DUPLICATES, NULL) : NULL;
    }
    if (type != POINT_LIST)
        return fields_text(&from->fields, "Sample", EVENT_TYPE_SAMPLE_MAX,
                           type == POINT_TEXT ? 0 : FIELD_NUMBER, "an example value");
    struct buf written = { 0 };
    if (json_is_array(value))
        json_write(&written, value);
    text = written.len > 0 ? buf_take(&written) : NULL;
    json_decref(value);
    if (text == NULL)
        sample_problem(from, "is required: an array, as an example");
    else if (strlen(text) > EVENT_TYPE_SAMPLE_MAX)
        sample_problem(from, "is too long");
    return text;
}

/* The sample must pass as Data; its canonical text is what an event would hold. */
static void check_sample(const struct point_fields *from, const struct data_point *point,
                         struct buf *whole)
{
    const struct event_type only = { .name = "", .points = point, .point_count = 1 };
    struct problems problems = { 0 };
    json_t *data = json_object();
    json_t *value =
        point->type == POINT_LIST ? json_loads(point->sample, 0, NULL) : json_string(point->sample);
    json_object_set_new(data, point->name, value);
    event_check_tree(&only, data, whole, &problems);
    if (problems.count > 0)
        sample_problem(from, problems.items[0].message);
    problems_free(&problems);
    json_decref(data);
}

static void check_point_name(const struct point_fields *from, const struct event_type *type,
                             const char *name)
{
    size_t len = strlen(name);
    if (!is_point_name(name))
        problems_add(from->fields.problems, "Name",
                     "must be letters and digits and begin with a capital, as OrderId");
    else if (catalog_point(NULL, name, len) != NULL)
        problems_add(from->fields.problems, "Name", "is a data point of every event");
    else if (catalog_point(type, name, len) != NULL)
        problems_add(from->fields.problems, "Name", "is given twice");
}

/* `type` has the points before this one. */
static void read_point(const struct point_fields *from, const struct event_type *type,
                       struct data_point *point, struct buf *whole)
{
    const struct fields *fields = &from->fields;
    char *kind = fields_text(fields, "Type", 20, 0, "text, integer, money, date, …");
    point->name = fields_text(fields, "Name", POINT_NAME_MAX, 0, "the data point's name");
    point->meaning =
        fields_text(fields, "Meaning", EVENT_TYPE_MEANING_MAX, 0, "one line that says what it is");
    if (point->name != NULL)
        check_point_name(from, type, point->name);
    if (kind != NULL && !point_type_named(kind, &point->type))
        problems_add(fields->problems, "Type", "%s", point_type_names);
    else if (kind != NULL)
        point->sample = read_sample(from, point->type);
    free(kind);
    if (fields->problems->count == 0)
        check_sample(from, point, whole);
}

static void move_problems(const struct point_fields *from, struct problems *problems)
{
    for (size_t i = 0; i < from->problems.count; i++) {
        const struct problem *problem = &from->problems.items[i];
        char field[FIELD_TEXT];
        snprintf(field, sizeof(field), "DataPoints[%zu]%s%.30s", from->at,
                 problem->field[0] != '\0' ? "." : "", problem->field);
        problems_add(problems, field, "%s", problem->message);
    }
}

static void read_points(struct event_type *type, const json_t *given, struct problems *problems)
{
    static const char *const names[] = { "Name", "Type", "Meaning", "Sample", NULL };
    struct data_point *points = must_alloc((json_array_size(given) + 1) * sizeof(*points));
    struct buf whole = { .limit = EVENT_DATA_MAX };
    type->points = points;
    for (size_t i = 0; i < json_array_size(given); i++) {
        const json_t *element = json_array_get(given, i);
        struct point_fields from = { .fields.from = element, .at = i };
        from.fields.problems = &from.problems;
        if (!json_is_object(element)) {
            problems_add(&from.problems, "", "must be an object with Name, Type, Meaning, Sample");
        } else {
            fields_only(&from.fields, names);
            read_point(&from, type, &points[i], &whole);
        }
        if (points[i].name == NULL)
            points[i].name = must_copy(""); /* an error is on its way */
        type->point_count = i + 1;
        move_problems(&from, problems);
        problems_free(&from.problems);
    }
    if (whole.failed)
        problems_add(problems, "DataPoints",
                     "the samples together are longer than an event's data");
    buf_free(&whole);
}

/* ---- what must stay ---- */

static void check_kept(const struct event_type *type, const struct event_type *before,
                       struct problems *problems)
{
    for (size_t i = 0; i < before->point_count; i++) {
        const struct data_point *was = &before->points[i];
        const struct data_point *is = catalog_point(type, was->name, strlen(was->name));
        if (is == NULL)
            problems_add(problems, "DataPoints",
                         "%s is missing: event notifications may use it, so it has to stay",
                         was->name);
        else if (is->type != was->type || strcmp(is->sample, was->sample) != 0)
            problems_add(problems, "DataPoints", "%s must keep its Type and Sample (%s, \"%s\")",
                         was->name, point_type_name(was->type), was->sample);
    }
}

struct event_type *event_type_read(const json_t *definition, const struct event_type *before,
                                   struct problems *problems)
{
    static const char *const names[] = { "Name", "Category", "Meaning", "DataPoints", NULL };
    const struct fields fields = { .from = definition, .problems = problems };
    const json_t *points = json_object_get(definition, "DataPoints");
    struct event_type *type = must_alloc(sizeof(*type));
    type->number = before != NULL ? before->number : 0;
    fields_only(&fields, names);
    read_name(type, &fields, before);
    read_category(type, &fields, before);
    read_meaning(type, &fields, before);
    if (!json_is_array(points) || json_array_size(points) > CATALOG_POINTS_MAX)
        problems_add(problems, "DataPoints", "must be an array of at most %d data points",
                     CATALOG_POINTS_MAX);
    else
        read_points(type, points, problems);
    if (before != NULL && problems->count == 0)
        check_kept(type, before, problems);
    if (problems->count == 0)
        return type;
    event_type_free(type);
    return NULL;
}

json_t *event_type_write(const struct event_type *type)
{
    json_t *points = json_array();
    for (size_t i = 0; i < type->point_count; i++) {
        const struct data_point *point = &type->points[i];
        json_array_append_new(points, json_pack("{s:s, s:s, s:s, s:s}", "Name", point->name, "Type",
                                                point_type_name(point->type), "Meaning",
                                                point->meaning, "Sample", point->sample));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "Name", type->name, "Category", type->category->name,
                     "Meaning", type->meaning, "DataPoints", points);
}

bool event_type_same(const struct event_type *a, const struct event_type *b)
{
    json_t *left = event_type_write(a), *right = event_type_write(b);
    bool same = a->number == b->number && a->deleted == b->deleted && json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return same;
}
