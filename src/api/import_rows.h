/* import_rows.h — rows of a file of inquiries, of decisions, or of changes of actions: taken one by
 * one in a write job.
 *
 * Begin a struct import_rows with all zeroes but `call`, `of`, `wants_bad_rows`, the limit of `bad`
 * and, for a part of a file, what is before it.
 */
#ifndef POSTBACKD_IMPORT_ROWS_H
#define POSTBACKD_IMPORT_ROWS_H

#include "api/api.h"
#include "model/csv.h"

enum import_of { IMPORT_INQUIRIES, IMPORT_DECISIONS, IMPORT_CHANGES };
/* Of a call that sends a file; `changes`: of actions. */
enum import_of import_of_call(const struct call *call, bool changes);
size_t import_columns(enum import_of of, struct csv_column out[CSV_COLUMNS_MAX]);

struct import_rows {
    enum import_of of;
    const struct call *call; /* who imports, and from where; it may be one that stands in */
    bool wants_bad_rows;
    /* What is taken is undone, some rows at a time: a row about the same as one of these rows
     * counts as `repeated` and not as bad, since whether they are undone before it is chance. */
    bool rehearses;
    struct csv_file file;
    size_t rows_before, lines_before; /* in the whole file, of which this is a part */
    size_t taken, bad_rows, undecided, unchanged, repeated;
    int64_t *made;     /* the ids of the rows taken, which only go up for new inquiries */
    size_t *made_by;   /* the row of each */
    json_t *campaigns; /* of the partner; NULL: not asked for yet */
    struct buf bad;    /* the bad rows as a file, if wanted */
    json_t *errors, *uris, *passed_over;
};

/* The rows of the bytes.  False: with *error. */
bool import_rows_read(struct import_rows *rows, const char *bytes, size_t len, struct error *error);
/* The partner's campaigns, when a row names one: ahead of a write job that should be short. */
void import_rows_name(struct import_rows *rows, struct db *db);
/* Nothing is taken yet: in a run() that may come again. */
void import_rows_begin(struct import_rows *rows);
/* Takes the row, or says what is wrong with it.  False: the store is broken, and the job with it.
 */
bool import_row_take(struct import_rows *rows, struct job *job, struct db *db, size_t row);
void import_rows_free(struct import_rows *rows);
json_t *import_count_text(size_t count);

/* What became of the rows of a whole file. */
struct import_sum {
    int64_t rows, taken, bad, undecided, unchanged;
};
bool import_sum_good(const struct import_sum *sum, bool take_good_rows);
/* A sentence for people, without its dot. */
void import_sum_text(const struct import_sum *sum, enum import_of of, bool dry_run,
                     struct buf *out);

#endif
