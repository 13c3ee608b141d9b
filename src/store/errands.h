/* errands.h — jobs of accounts on disk (model/errand.h): what was asked for, how far each is, and
 * what it reads and has written, in chunks.
 *
 * The row is the job: whoever goes on with it loads it, makes one step, and writes what came of it
 * under the number of steps that it saw.  So a job that was cancelled, or that another server went
 * on with, takes nothing from a step that came too late; and a restart goes on at `place`.
 */
#ifndef POSTBACKD_ERRANDS_H
#define POSTBACKD_ERRANDS_H

#include "base/buf.h"
#include "base/id_list.h"
#include "db/store.h"
#include "model/account.h"
#include "model/errand.h"

#include <jansson.h>

struct errand {
    int64_t id, account;
    enum errand_kind kind;
    enum errand_state state;
    int64_t steps;
    int64_t phase, place,
        first;       /* the kind's own affair, at first 0; an import takes rows in phase 1 */
    int64_t total;   /* records; -1: not known */
    int64_t records; /* done */
    int64_t taken, bad, undecided, unchanged; /* rows of an import */
    int64_t percent;
    int64_t input_chunks, input_bytes, result_chunks, result_bytes;
    int64_t created_at, started_at, finished_at;
    char *name, *message;
    json_t *request;      /* "Format", "Parameters" (as the API shows them), "Asked" */
    struct caller caller; /* who asked; its account's kind and SID as they are now */
    const char *address;  /* from where; the request's */
    bool active;          /* the account is */
};
void errand_clear(struct errand *errand);        /* frees what it owns */
bool errand_is_csv(const struct errand *errand); /* what it reads, or has written; else NDJSON */

/* ---- for accounts ---- */

struct errand_asked {
    enum errand_kind kind;
    const struct caller *caller;
    const char *address;
    const char *name;   /* NULL: the kind's */
    const char *format; /* "CSV", "NDJSON" */
    json_t *parameters; /* an object; borrowed */
};
/* Writes it, QUEUED, or RECEIVING when a file is to follow, and gives its id.  0: ERROR_CONFLICT,
 * too many of the account's have not ended. */
int64_t errand_add(struct job *job, struct db *db, const struct errand_asked *asked, bool receives);
/* A further piece of the file of one that receives.  False: ERROR_QUOTA, the account's is used up;
 * or it is no longer RECEIVING (ERROR_CONFLICT). */
bool errand_receive(struct job *job, struct db *db, int64_t account, int64_t id, const void *bytes,
                    size_t len, int64_t rows_before, int64_t lines_before);
/* All of it is there: QUEUED.  total: its rows. */
bool errand_received(struct job *job, struct db *db, int64_t account, int64_t id, int64_t total);
/* QUEUED or RUNNING to CANCELLED; what was done stays done.  False: ERROR_CONFLICT when it has
 * ended, or (without an error) not there. */
bool errand_cancel(struct job *job, struct db *db, int64_t account, int64_t id);
/* The API's object; NULL: not there. */
json_t *errand_show(struct db *db, int64_t account, int64_t id);
/* Newest first, ids under `before` (0: from the newest); state 0: any. */
json_t *errand_list(struct db *db, int64_t account, enum errand_state state, int64_t before,
                    int limit);
/* What a download needs of it. */
struct errand_result {
    enum errand_kind kind;
    bool is_csv;
    int64_t chunks;
};
/* False: not there (no error), or it has no result, or has it no more (ERROR_CONFLICT). */
bool errand_result_find(struct job *job, struct db *db, int64_t account, int64_t id,
                        struct errand_result *out);
/* Adds a piece to `out`; false: it is gone. */
bool errand_result_read(struct db *db, int64_t account, int64_t id, int64_t number,
                        struct buf *out);

/* ---- for who runs them ---- */

/* Adds the accounts that have one to go on with. */
void errand_accounts(struct db *db, struct id_list *out);
/* The account's oldest that is QUEUED or RUNNING; false: none. */
bool errand_next(struct db *db, int64_t account, struct errand *out);
/* A piece of its file; false: it is gone. */
struct errand_input {
    struct buf body;
    int64_t rows_before, lines_before;
};
bool errand_input_read(struct db *db, int64_t id, int64_t number, struct errand_input *out);

/* What came of a step: the row as it is to be, and a piece of the result. */
struct errand_made {
    int64_t phase, place, first, total, records, taken, bad, undecided, unchanged, percent;
    enum errand_state state; /* RUNNING: it goes on */
    struct buf out;          /* behind the result; empty: nothing */
    int64_t input_done;      /* this chunk of the file is not needed any more; -1: none */
    char message[256];       /* for people; "": as it was */
};
/* As the row says: to begin a step with. */
void errand_made_begin(struct errand_made *made, const struct errand *seen);
void errand_made_free(struct errand_made *made);
/* QUEUED to RUNNING.  Nothing when another did that. */
void errand_start(struct db *db, const struct errand *seen);
/* Writes what came of a step; with an end, job.completed, and a notice when a person asked for it.
 * A result over the account's quota ends it with ERROR.  False: ERROR_CONFLICT, it is not as it was
 * seen; then nothing of the step may stay. */
bool errand_put(struct job *job, struct db *db, const struct errand *seen,
                const struct errand_made *made);

/* An ended one's result is not to be had any more, and some of its pieces go at once; the others by
 * the sweep, or by further calls.  *first: it was to be had.  False: it has not ended. */
bool errand_result_drop(struct db *db, int64_t id, bool *first);

/* ---- for the sweep ---- */

/* One small step: pieces whose time is over, files that never came whole, and rows that ended long
 * ago.  True: there is more. */
bool errands_sweep(struct job *job, struct db *db, int64_t now_ms);

#endif
