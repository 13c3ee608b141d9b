/* cursor_rows.c — the ids of the list by reading it a batch at a time, then each row by its own.
 *
 * A list of some thousand rows is so read twice; but which rows there are, and where the next page
 * begins, stands in front of them, and no more than a batch is ever in memory.
 */
#include "api/cursor_rows.h"

#include "api/rows.h"
#include "base/id.h"

#include <string.h>

enum { BATCH = 100 };

struct cursor_rows {
    struct rows rows;
    struct api_job *work;
    struct cursor *cursor, asked;
    const char *name;
    json_t *(*finish)(struct api_job *work, json_t *answer);
};

/* Reads behind that id; gives how many there were.  -1: run() has refused. */
static int read_behind(struct cursor_rows *list, struct db *db, int64_t at, int limit)
{
    struct api_job *work = list->work;
    json_decref(work->shown);
    work->shown = NULL;
    list->cursor->at = at;
    list->cursor->limit = limit;
    return work->run(work, db) ? (int)json_array_size(work->shown) : -1;
}

static int64_t id_of(const json_t *row)
{
    const char *text = json_string_value(json_object_get(row, "Id"));
    int64_t id = 0;
    return text != NULL && id_parse(text, &id) ? id : 0;
}

static bool find_ids(struct rows *rows, struct api_job *job, struct db *db)
{
    struct cursor_rows *list = (struct cursor_rows *)rows;
    int left = list->asked.limit, got = 0, wanted = 0;
    int64_t at = list->asked.at;
    do {
        wanted = left < BATCH ? left : BATCH;
        got = read_behind(list, db, at, wanted);
        for (int i = 0; i < got; i++)
            id_list_add(&rows->ids, at = id_of(json_array_get(list->work->shown, (size_t)i)));
        left -= got;
    } while (got == wanted && left > 0 && !db_failed(db));
    if (got >= 0)
        return true;
    job->job.error = list->work->job.error;
    job->problems = list->work->problems;
    list->work->problems = (struct problems){ 0 };
    return false;
}

static void begin_list(struct rows *rows, struct buf *out)
{
    const struct cursor_rows *list = (struct cursor_rows *)rows;
    json_t *answer =
        cursor_answer(rows->call, &list->asked, list->name, rows->ids.count, rows->ids.last);
    if (list->finish != NULL)
        answer = list->finish(list->work, answer);
    rows_json_begin(rows, answer, out);
}

static bool write_one(struct rows *rows, struct db *db, int64_t id, struct buf *out)
{
    struct cursor_rows *list = (struct cursor_rows *)rows;
    bool falls = strcmp(list->asked.name, "Before") == 0;
    json_t *row = read_behind(list, db, falls ? id + 1 : id - 1, 1) == 1
                      ? json_array_get(list->work->shown, 0)
                      : NULL;
    if (row == NULL || id_of(row) != id)
        return false;
    rows_json_row(rows, json_incref(row), out);
    return true;
}

static void clear_list(struct rows *rows)
{
    api_job_drop(((struct cursor_rows *)rows)->work);
}

static const struct rows_kind cursor_list = {
    .type = ROWS_JSON,
    .find = find_ids,
    .begin = begin_list,
    .row = write_one,
    .end = rows_json_end,
    .clear = clear_list,
};

void cursor_rows_answer_in(struct api_job *work, struct cursor *cursor, const char *name,
                           json_t *(*finish)(struct api_job *work, json_t *answer))
{
    struct cursor_rows *list = rows_new(sizeof(*list), &cursor_list, work->call, work->api);
    struct problems problems = work->problems;
    work->problems = (struct problems){ 0 };
    list->work = work;
    list->cursor = cursor;
    list->asked = *cursor;
    list->name = name;
    list->finish = finish;
    rows_answer(&list->rows, &problems);
}

void cursor_rows_answer(struct api_job *work, struct cursor *cursor, const char *name)
{
    cursor_rows_answer_in(work, cursor, name, NULL);
}
