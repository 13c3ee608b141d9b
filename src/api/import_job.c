/* import_job.c — a file on its way into the store, and what its job does in a step.
 *
 * The place of a job is the part that it is in, and the row of that part: place = part << 16 | row.
 * Phase 0 rehearses: each step's rows are taken and undone.  Phase 1 takes them, and drops a part
 * once it is through with it.
 */
#include "api/import_job.h"

#include "api/errands.h"
#include "api/import_rows.h"
#include "api/inquiry_columns.h"
#include "api/stand_in.h"
#include "base/clock.h"
#include "base/fail.h"
#include "model/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the file comes in ---- */

enum { RECEIVE_BYTES = 128 * 1024 /* of parts, in one write */ };

struct upload {
    struct job job; /* the one under way */
    struct call *call;
    struct api *api;
    struct import_asked asked;
    void (*at_once)(struct call *call, struct api *api, const struct import_asked *asked);
    struct csv_file file;
    int64_t id;
    size_t row, next; /* those before are in the store; after the job under way */
};

static void upload_free(struct upload *upload)
{
    csv_file_free(&upload->file);
    free(upload);
}

static void upload_failed(struct upload *upload)
{
    call_refuse_error(upload->call, &upload->job.error, NULL);
    upload_free(upload);
}

static void upload_write(struct upload *upload, bool (*run)(struct job *, struct db *),
                         void (*done)(struct job *, bool))
{
    upload->job = (struct job){ .run = run, .done = done, .account = upload->call->caller.account };
    store_write(upload->api->store, &upload->job);
}

static bool run_end(struct job *job, struct db *db)
{
    struct upload *upload = (struct upload *)job;
    return errand_received(job, db, job->account, upload->id, (int64_t)upload->file.count);
}

static void end_done(struct job *job, bool ok)
{
    struct upload *upload = (struct upload *)job;
    if (!ok) {
        upload_failed(upload);
        return;
    }
    errand_answer_begun(upload->call, upload->id);
    upload_free(upload);
}

static bool run_parts(struct job *job, struct db *db)
{
    struct upload *upload = (struct upload *)job;
    size_t row = upload->row, bytes = 0;
    bool ok = true;
    while (ok && row < upload->file.count && bytes < RECEIVE_BYTES) {
        struct buf part = { .limit = 2 * IMPORT_BYTES_MAX };
        size_t lines_before, rows = csv_part(&upload->file, row, &part, &lines_before);
        ok = errand_receive(job, db, job->account, upload->id, buf_text(&part), part.len,
                            (int64_t)row, (int64_t)lines_before);
        bytes += part.len;
        row += rows;
        buf_free(&part);
    }
    upload->next = row;
    return ok;
}

static void parts_done(struct job *job, bool ok)
{
    struct upload *upload = (struct upload *)job;
    if (!ok) {
        upload_failed(upload);
        return;
    }
    upload->row = upload->next;
    if (upload->row < upload->file.count)
        upload_write(upload, run_parts, parts_done);
    else
        upload_write(upload, run_end, end_done);
}

static json_t *parameters_of(const struct import_asked *asked)
{
    return json_pack("{s:s, s:s}", "TakeGoodRows", asked->take_good_rows ? "true" : "false",
                     "DryRun", asked->dry_run ? "true" : "false");
}

static enum errand_kind kind_of(enum import_of of)
{
    return of == IMPORT_CHANGES     ? ERRAND_IMPORT_CHANGES
           : of == IMPORT_DECISIONS ? ERRAND_IMPORT_DECISIONS
                                    : ERRAND_IMPORT_INQUIRIES;
}

static enum import_of of_kind(enum errand_kind kind)
{
    return kind == ERRAND_IMPORT_CHANGES     ? IMPORT_CHANGES
           : kind == ERRAND_IMPORT_DECISIONS ? IMPORT_DECISIONS
                                             : IMPORT_INQUIRIES;
}

static bool run_begin(struct job *job, struct db *db)
{
    struct upload *upload = (struct upload *)job;
    const struct call *call = upload->call;
    json_t *parameters = parameters_of(&upload->asked);
    const struct errand_asked asked = { .kind =
                                            kind_of(import_of_call(call, upload->asked.changes)),
                                        .caller = &call->caller,
                                        .address = call->address,
                                        .format = "CSV",
                                        .parameters = parameters };
    upload->id = errand_add(job, db, &asked, true);
    if (upload->id != 0)
        errand_audit(call, db, "job.import", upload->id, json_incref(parameters));
    json_decref(parameters);
    return upload->id != 0;
}

/* ---- looked through ---- */

static bool run_look(struct job *job, struct db *db)
{
    struct upload *upload = (struct upload *)job;
    const struct call *call = upload->call;
    struct csv_column columns[CSV_COLUMNS_MAX];
    size_t count = import_columns(import_of_call(call, upload->asked.changes), columns);
    (void)db;
    csv_file_free(&upload->file);
    return csv_places(buf_text(&call->body), call->body.len, columns, count, &upload->file,
                      &job->error);
}

static void look_done(struct job *job, bool ok)
{
    struct upload *upload = (struct upload *)job;
    bool small = upload->call->body.len <= IMPORT_AT_ONCE_BYTES &&
                 upload->file.count <= CSV_ROWS_MAX && !upload->asked.as_job;
    if (!ok) {
        upload_failed(upload);
    } else if (small) {
        upload->at_once(upload->call, upload->api, &upload->asked);
        upload_free(upload);
    } else {
        upload_write(upload, run_begin, parts_done);
    }
}

void import_job_begin(struct call *call, struct api *api, const struct import_asked *asked,
                      void (*at_once)(struct call *call, struct api *api,
                                      const struct import_asked *asked))
{
    struct upload *upload = must_alloc(sizeof(*upload));
    upload->call = call;
    upload->api = api;
    upload->asked = *asked;
    upload->at_once = at_once;
    upload->job =
        (struct job){ .run = run_look, .done = look_done, .account = call->caller.account };
    store_read(api->store, &upload->job);
}

/* ---- a step ---- */

enum { PART_SHIFT = 16 };

struct import_step {
    struct stand_in in;
    struct import_rows rows;
};

static bool asked_for(const struct errand *errand, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(errand->request, "Parameters"), name));
    return text != NULL && strcmp(text, "true") == 0;
}

/* Whether rows are looked at before any is taken: not, if what is good is taken anyway. */
static bool rehearses(const struct errand *errand)
{
    return asked_for(errand, "DryRun") || !asked_for(errand, "TakeGoodRows");
}

/* All rows were looked at, or taken. */
static void import_end(const struct errand *errand, struct errand_made *made)
{
    bool dry_run = asked_for(errand, "DryRun"), good_rows = asked_for(errand, "TakeGoodRows");
    bool rehearsal = made->phase == 0;
    struct import_sum sum = { made->total, made->taken, made->bad, made->undecided,
                              made->unchanged };
    struct buf text = { 0 };
    if (rehearsal && !dry_run && import_sum_good(&sum, false)) {
        made->phase = 1;
        made->place = made->records = made->taken = made->undecided = made->unchanged = 0;
        return;
    }
    made->state = import_sum_good(&sum, !rehearsal || good_rows) ? ERRAND_COMPLETED : ERRAND_ERROR;
    if (rehearsal && !dry_run)
        made->taken = sum.taken = 0;
    import_sum_text(&sum, of_kind(errand->kind), dry_run, &text);
    show_cut(made->message, sizeof(made->message), buf_text(&text));
    buf_free(&text);
    made->percent = 100;
}

static void import_read(struct db *db, struct errand_step *step)
{
    const struct errand *errand = &step->errand;
    struct errand_made *made = &step->made;
    struct errand_input input;
    struct error error = { 0 };
    int64_t part = made->place >> PART_SHIFT;
    if (made->phase == 0 && !rehearses(errand))
        made->phase = 1;
    if (part >= errand->input_chunks) {
        import_end(errand, made);
        return;
    }
    bool there = errand_input_read(db, errand->id, part, &input);
    struct import_step *data = must_alloc(sizeof(*data));
    step->data = data;
    stand_in_make(&data->in, &errand->caller, errand->address, NULL);
    data->rows.call = &data->in.call;
    data->rows.of = of_kind(errand->kind);
    data->rows.wants_bad_rows = true;
    data->rows.rows_before = (size_t)input.rows_before;
    data->rows.lines_before = (size_t)input.lines_before;
    if (!there)
        error_set(&error, ERROR_BROKEN, "A part of the file is not there");
    if (there && import_rows_read(&data->rows, buf_text(&input.body), input.body.len, &error)) {
        import_rows_name(&data->rows, db);
        step->way = made->phase == 0 ? ERRAND_REHEARSES : ERRAND_WRITES;
    } else if (!db_failed(db)) {
        made->state = there ? ERRAND_ERROR : ERRAND_FAILED;
        show_cut(made->message, sizeof(made->message), error.message);
    }
    buf_free(&input.body);
}

/* What the step has found goes behind the result; the titles stand in front of the first alone. */
static void keep_bad_rows(const struct errand *errand, const struct import_rows *rows,
                          struct buf *out)
{
    struct buf titles = { 0 };
    size_t from = 0;
    if (errand->result_chunks > 0) {
        csv_problems_start(&rows->file, &titles);
        from = titles.len;
    }
    buf_add(out, rows->bad.data + from, rows->bad.len - from);
    buf_free(&titles);
}

static void count_rows(const struct errand *errand, const struct import_step *data, size_t row,
                       struct errand_made *made)
{
    const struct import_rows *rows = &data->rows;
    int64_t done = (int64_t)(rows->rows_before + row), all = errand->total;
    bool halves = rehearses(errand) && !asked_for(errand, "DryRun");
    made->taken += (int64_t)(rows->taken + rows->repeated);
    made->bad += (int64_t)rows->bad_rows;
    made->undecided += (int64_t)rows->undecided;
    made->unchanged += (int64_t)rows->unchanged;
    made->percent =
        all > 0 ? done * (halves ? 50 : 100) / all + (halves && made->phase == 1 ? 50 : 0) : 0;
    if (made->percent > 99)
        made->percent = 99;
    if (!halves || made->phase == 1)
        made->records = done;
}

static bool import_write(struct job *job, struct db *db, struct errand_step *step)
{
    struct import_step *data = step->data;
    struct errand_made *made = &step->made;
    struct import_rows *rows = &data->rows;
    int64_t part = made->place >> PART_SHIFT, until_us = clock_steady_us() + ERRAND_STEP_US;
    size_t row = (size_t)(made->place & ((1 << PART_SHIFT) - 1)), count = rows->file.count;
    made->phase = step->way == ERRAND_WRITES;
    rows->rehearses = made->phase == 0;
    import_rows_begin(rows);
    do {
        if (row < count && !import_row_take(rows, job, db, row))
            return false;
        row++;
    } while (row < count && clock_steady_us() < until_us);
    if (job->refused) { /* what waits for the account is too much; later */
        error_set(&job->error, ERROR_QUOTA, "too much of the account's waits");
        return false;
    }
    bool through = row >= count;
    made->place = through ? (part + 1) << PART_SHIFT : part << PART_SHIFT | (int64_t)row;
    if (through && made->phase == 1)
        made->input_done = part;
    count_rows(&step->errand, data, through ? count : row, made);
    if (rows->bad.len > 0)
        keep_bad_rows(&step->errand, rows, &made->out);
    return true;
}

static void import_clear(struct errand_step *step)
{
    struct import_step *data = step->data;
    import_rows_free(&data->rows);
    free(data);
    step->data = NULL;
}

const struct errand_doer import_doer = { import_read, import_write, import_clear };
