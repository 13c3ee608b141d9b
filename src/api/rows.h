/* rows.h — an answer of many rows: a page of a list, or a file.
 *
 * The rows are read and sent a piece at a time (call_answer_in_pieces()), so a call has one piece
 * in memory however long its answer is, nothing is read for a client that does not take it, and
 * other accounts have their turns between two pieces.  A short answer is one read, and has a
 * Content-Length.
 *
 * What is in the answer, and in which order, is fixed by the first read: the ids.  Each row is then
 * as it is when its piece is read; one that is gone by then is left out.
 */
#ifndef POSTBACKD_ROWS_H
#define POSTBACKD_ROWS_H

#include "api/api.h"
#include "base/id_list.h"

#define ROWS_JSON "application/json; charset=utf-8"

enum { ROWS_STEP = 64 /* rows that are read before the time and the length are looked at */ };

struct rows;
/* Everything but clear() is called on a reader's thread, and may read the call. */
struct rows_kind {
    const char *type; /* the media type */
    const char *file; /* the name that it is saved under; NULL: it is no file */
    /* Sets ids and total.  False: with job->error, or problems of `job`. */
    bool (*find)(struct rows *rows, struct api_job *job, struct db *db);
    /* In front of the first row, and behind the last (NULL: nothing). */
    void (*begin)(struct rows *rows, struct buf *out);
    void (*end)(struct rows *rows, struct buf *out);
    /* Writes the row of that id, with what separates it from the one before.  False: it is gone. */
    bool (*row)(struct rows *rows, struct db *db, int64_t id, struct buf *out);
    void (*clear)(struct rows *rows); /* frees what is the handler's; NULL: nothing */
};

struct rows { /* at the head of the handler's own struct */
    const struct rows_kind *kind;
    struct api *api;
    struct call *call;
    struct id_list ids;
    int64_t total;  /* of the whole list, of which a page may be asked for */
    size_t written; /* rows */
    struct buf out; /* the piece */
    bool whole;     /* `out` ends the answer */
};

/* Zeroed, of `size` bytes. */
void *rows_new(size_t size, const struct rows_kind *kind, struct call *call, void *api);
/* Answers with the rows; or with the problems, when there are any (which are freed). */
void rows_answer(struct rows *rows, struct problems *problems);

/* ---- a JSON list ---- */

/* begin(): the body up to its last member, which is an empty array; steals it. */
void rows_json_begin(struct rows *rows, json_t *body, struct buf *out);
void rows_json_end(struct rows *rows, struct buf *out);              /* an end() */
void rows_json_row(struct rows *rows, json_t *row, struct buf *out); /* steals it */
/* begin() of a list with pages. */
void rows_page_begin(struct rows *rows, const struct page *page, const char *name, struct buf *out);

#endif
