/* rows.c — read jobs in a row, each of which writes one piece.
 *
 * The first job finds the ids and writes the first piece.  If that is all it is answered as any
 * call is; otherwise the server asks for the pieces as they go out, and all jobs but the first are
 * given when it asks.
 *
 * The rule: a struct rows belongs to a job or to the server's source, never to both.
 */
#include "api/rows.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_US = 5000 /* a piece that takes longer to be read ends, so that others have turns */ };

struct rows_job {
    struct api_job api;
    struct rows *rows; /* NULL: handed on */
};

void *rows_new(size_t size, const struct rows_kind *kind, struct call *call, void *api)
{
    struct rows *rows = must_alloc(size);
    rows->kind = kind;
    rows->call = call;
    rows->api = api;
    return rows;
}

static void rows_free(struct rows *rows)
{
    if (rows == NULL)
        return;
    if (rows->kind->clear != NULL)
        rows->kind->clear(rows);
    id_list_free(&rows->ids);
    buf_free(&rows->out);
    free(rows);
}

/* ---- a piece ---- */

/* False: that was the last row. */
static bool write_step(struct rows *rows, struct db *db)
{
    int64_t id;
    for (int i = 0; i < ROWS_STEP && rows->out.len < CALL_PIECE_BYTES; i++) {
        if (!id_list_next(&rows->ids, &id))
            return false;
        rows->written += rows->kind->row(rows, db, id, &rows->out);
    }
    return true;
}

static void write_piece(struct rows *rows, struct db *db)
{
    int64_t until_us = clock_steady_us() + PIECE_US;
    bool more = true;
    while (more && rows->out.len < CALL_PIECE_BYTES &&
           (rows->out.len == 0 || clock_steady_us() < until_us) && !db_failed(db))
        more = write_step(rows, db);
    if (!more) {
        if (rows->kind->end != NULL)
            rows->kind->end(rows, &rows->out);
        rows->whole = true;
    }
    if (rows->out.failed)
        bug("a piece of an answer is longer than %d bytes", BUF_LIMIT_DEFAULT);
}

static bool run_piece(struct api_job *job, struct db *db)
{
    write_piece(((struct rows_job *)job)->rows, db);
    return true;
}

static bool run_first(struct api_job *job, struct db *db)
{
    struct rows *rows = ((struct rows_job *)job)->rows;
    if (!rows->kind->find(rows, job, db))
        return false;
    rows->kind->begin(rows, &rows->out);
    write_piece(rows, db);
    return true;
}

/* ---- the server's source ---- */

static void piece_done(struct job *inner, bool ok)
{
    struct api_job *job = container_of(inner, struct api_job, job);
    struct rows *rows = ((struct rows_job *)job)->rows;
    if (ok)
        call_piece(rows->call, buf_text(&rows->out), rows->out.len, rows->whole);
    else
        call_piece_failed(rows->call, &inner->error);
    buf_reset(&rows->out);
    api_job_drop(job);
}

static struct rows_job *rows_job_new(struct rows *rows, bool (*run)(struct api_job *, struct db *),
                                     void (*finish)(struct api_job *),
                                     void (*clear)(struct api_job *))
{
    struct rows_job *job = api_job_new(sizeof(*job), rows->call, rows->api, run, finish, clear);
    job->rows = rows;
    return job;
}

static void next_piece(struct call *call, void *data)
{
    struct rows *rows = data;
    if (rows->out.len > 0) { /* the first, which is there */
        call_piece(call, buf_text(&rows->out), rows->out.len, rows->whole);
        buf_reset(&rows->out);
        return;
    }
    struct rows_job *job = rows_job_new(rows, run_piece, NULL, NULL);
    job->api.job.done = piece_done;
    api_read(&job->api);
}

static void pieces_end(struct call *call, void *data, bool whole)
{
    (void)call;
    (void)whole;
    rows_free(data);
}

static const struct call_source source = { next_piece, pieces_end };

/* ---- the answer ---- */

static void clear_first(struct api_job *job)
{
    rows_free(((struct rows_job *)job)->rows);
}

static void add_disposition(struct call *call, const char *file)
{
    struct buf value = { 0 };
    buf_fmt(&value, "attachment; filename=\"%s\"", file);
    call_add_header(call, "Content-Disposition", buf_text(&value));
    buf_free(&value);
}

static void finish_first(struct api_job *job)
{
    struct rows *rows = ((struct rows_job *)job)->rows;
    if (rows->kind->file != NULL)
        add_disposition(job->call, rows->kind->file);
    if (rows->whole) {
        call_text_answer(job->call, 200, rows->kind->type, buf_text(&rows->out), rows->out.len);
        return;
    }
    ((struct rows_job *)job)->rows = NULL;
    call_answer_in_pieces(job->call, 200, rows->kind->type, &source, rows);
}

void rows_answer(struct rows *rows, struct problems *problems)
{
    struct rows_job *job = rows_job_new(rows, run_first, finish_first, clear_first);
    job->api.problems = *problems;
    *problems = (struct problems){ 0 };
    if (api_job_valid(&job->api))
        api_read(&job->api);
}

/* ---- JSON ---- */

static int add_text(const char *text, size_t len, void *out)
{
    buf_add(out, text, len);
    return 0;
}

static void add_json(struct buf *out, json_t *json)
{
    if (json_dump_callback(json, add_text, out, JSON_COMPACT) != 0)
        die("out of memory for an answer");
    json_decref(json);
}

void rows_json_begin(struct rows *rows, json_t *body, struct buf *out)
{
    static const char empty[] = "[]}";
    size_t len = sizeof(empty) - 1;
    (void)rows;
    add_json(out, body);
    if (out->len < len || memcmp(out->data + out->len - len, empty, len) != 0)
        bug("a list does not end with its rows: %s", buf_text(out));
    out->len -= 2;
    out->data[out->len] = '\0';
}

void rows_json_end(struct rows *rows, struct buf *out)
{
    (void)rows;
    buf_str(out, "]}");
}

void rows_json_row(struct rows *rows, json_t *row, struct buf *out)
{
    if (rows->written > 0)
        buf_char(out, ',');
    add_json(out, row);
}

void rows_page_begin(struct rows *rows, const struct page *page, const char *name, struct buf *out)
{
    rows_json_begin(
        rows, page_answer(rows->call, page, rows->total, (int64_t)rows->ids.count, name), out);
}
