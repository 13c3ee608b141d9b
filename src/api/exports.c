/* exports.c — POST …/Exports, and what an export does in a step.
 *
 * A step reads rows a few at a time (export_kinds.h) until a piece is full or its time is over.
 * The parameters of the call are kept as they were given, and read anew in each step by the same
 * functions that read a list's.
 */
#include "api/errands.h"

#include "api/body.h"
#include "api/export_kinds.h"
#include "api/stand_in.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "model/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a step ---- */

struct writer {
    const struct export_kind *kind;
    struct export_column columns[EXPORT_COLUMNS_MAX];
    size_t column_count;
    bool csv;
    struct buf *out;
};

static void write_titles(const struct writer *writer)
{
    csv_start(writer->out);
    for (size_t i = 0; i < writer->column_count; i++)
        csv_cell(writer->out, writer->columns[i].title, i == 0);
    csv_end_row(writer->out);
}

static void write_cells(const struct writer *writer, const json_t *row)
{
    for (size_t i = 0; i < writer->column_count; i++) {
        const char *member = writer->columns[i].member;
        const json_t *value = member != NULL ? json_object_get(row, member) : NULL;
        char *list = value != NULL && !json_is_string(value)
                         ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
                         : NULL;
        const char *text = list != NULL ? list : json_string_value(value);
        csv_cell(writer->out, text != NULL ? text : "", i == 0);
        free(list);
    }
    csv_end_row(writer->out);
}

static void write_row(const struct writer *writer, const json_t *row)
{
    if (writer->csv) {
        write_cells(writer, row);
        return;
    }
    char *text = json_dumps(row, JSON_COMPACT);
    if (text == NULL)
        die("out of memory for a row");
    buf_str(writer->out, text);
    buf_char(writer->out, '\n');
    free(text);
}

static void export_end(struct errand_made *made)
{
    made->state = ERRAND_COMPLETED;
    made->percent = 100;
    made->total = made->records;
    snprintf(made->message, sizeof(made->message), "%" PRId64 " record%s written", made->records,
             made->records == 1 ? " was" : "s were");
}

static void export_read(struct db *db, struct errand_step *step)
{
    const struct errand *errand = &step->errand;
    struct errand_made *made = &step->made;
    struct writer writer = { .kind = export_kind_of(errand->kind),
                             .csv = errand_is_csv(errand),
                             .out = &made->out };
    struct stand_in in;
    int64_t until_us = clock_steady_us() + ERRAND_STEP_US;
    bool end = false;
    stand_in_make(&in, &errand->caller, errand->address,
                  json_object_get(errand->request, "Parameters"));
    writer.column_count = writer.kind->columns(errand->caller.kind, writer.columns);
    if (writer.csv && errand->result_chunks == 0)
        write_titles(&writer);
    while (!end && made->out.len < ERRAND_CHUNK && clock_steady_us() < until_us && !db_failed(db)) {
        struct export_rows rows = { db, &in.call, made, json_array(), false };
        size_t i;
        json_t *row;
        writer.kind->read(&rows);
        json_array_foreach(rows.rows, i, row) write_row(&writer, row);
        made->records += (int64_t)json_array_size(rows.rows);
        json_decref(rows.rows);
        end = rows.end;
    }
    if (end && !db_failed(db))
        export_end(made);
}

const struct errand_doer export_doer = { .read = export_read };

/* ---- the call ---- */

struct export_work {
    struct api_job api;
    enum errand_kind kind;
    char *name;
    const char *format;
    json_t *parameters;
    int64_t id;
};

static void clear_export(struct api_job *job)
{
    struct export_work *work = (struct export_work *)job;
    free(work->name);
    json_decref(work->parameters);
}

static bool run_export(struct api_job *job, struct db *db)
{
    struct export_work *work = (struct export_work *)job;
    const struct errand_asked asked = { work->kind, &job->call->caller, job->call->address,
                                        work->name, work->format,       work->parameters };
    work->id = errand_add(&job->job, db, &asked, false);
    if (work->id == 0)
        return false;
    errand_audit(job->call, db, "job.export", work->id,
                 json_pack("{s:s, s:s, s:O}", "Type", errand_kind_name(work->kind), "Format",
                           work->format, "Parameters", work->parameters));
    return true;
}

static void finish_export(struct api_job *job)
{
    errand_answer_begun(job->call, ((struct export_work *)job)->id);
}

static void records_take(const struct fields *fields, const struct call *call,
                         struct export_work *work)
{
    static const char words[] =
        "one of INQUIRIES, ACTIONS, ACTION_UPDATES, POSTBACKS, ATTEMPTS, AUDIT";
    char *text = fields_text(fields, "Records", 40, 0, words);
    if (text != NULL && (!errand_records_named(text, &work->kind) ||
                         (export_kind_of(work->kind)->accounts & (int)call->caller.kind) == 0)) {
        problems_add(fields->problems, "Records", "must be %s%s", words,
                     call->caller.kind == ACCOUNT_OPERATOR
                         ? "; the operator has no inquiries and actions of its own"
                         : "");
        work->kind = 0;
    }
    free(text);
}

static void format_take(const struct fields *fields, struct export_work *work)
{
    char *text = fields_text(fields, "Format", 40, 0, NULL);
    work->format = "CSV";
    if (text != NULL && text_same(text, "NDJSON"))
        work->format = "NDJSON";
    else if (text != NULL && !text_same(text, "CSV"))
        problems_add(fields->problems, "Format", "must be CSV or NDJSON");
    free(text);
}

/* All other members are the list's parameters: texts, or whole numbers. */
static void parameters_take(const struct fields *fields, struct export_work *work)
{
    static const char *const own[] = { "Records", "Format", "JobName", NULL };
    const char *name;
    json_t *value;
    work->parameters = json_object();
    json_object_foreach((json_t *)fields->from, name, value)
    {
        const char *const *at = own;
        while (*at != NULL && strcmp(*at, name) != 0)
            at++;
        if (*at != NULL || json_is_null(value))
            continue;
        if (json_is_integer(value))
            json_object_set_new(work->parameters, name,
                                json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value)));
        else if (!json_is_string(value))
            problems_add(fields->problems, name, "must be a text");
        else if (json_object_size(work->parameters) < CALL_QUERY_MAX)
            json_object_set(work->parameters, name, value);
    }
}

static void export_take(const struct fields *fields, const struct call *call,
                        struct export_work *work)
{
    struct stand_in in;
    work->name = fields_text(fields, "JobName", ERRAND_NAME_MAX, FIELD_NAME, NULL);
    records_take(fields, call, work);
    format_take(fields, work);
    parameters_take(fields, work);
    if (work->kind == 0)
        return;
    stand_in_make(&in, &call->caller, call->address, work->parameters);
    export_kind_of(work->kind)->check(&in.call, fields->problems);
}

static void begin_export(struct call *call, void *context)
{
    json_t *body = call_object(call);
    if (body == NULL)
        return;
    struct export_work *work =
        api_job_new(sizeof(*work), call, context, run_export, finish_export, clear_export);
    struct fields fields = { .from = body, .problems = &work->api.problems };
    export_take(&fields, call, work);
    json_decref(body);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

enum { BODY_MAX = 16 * 1024 };

const struct route export_routes[] = {
    { "POST", "/Mediapartners/{SID}/Exports", begin_export, PARTNERS, SCOPE_API, COUNTED,
      BODY_MAX },
    { "POST", "/Advertisers/{SID}/Exports", begin_export, BRANDS, SCOPE_API, COUNTED, BODY_MAX },
};
const size_t export_route_count = sizeof(export_routes) / sizeof(export_routes[0]);
