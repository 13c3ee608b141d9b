/* errand_rows.h — what the files of jobs on disk share: a row read, its end written. */
#ifndef POSTBACKD_ERRAND_ROWS_H
#define POSTBACKD_ERRAND_ROWS_H

#include "store/errands.h"

#define ERRAND_SELECT                                                                              \
    "SELECT e.id, e.account, e.kind, e.state, e.steps, e.phase, e.place, e.first, e.total, "       \
    "e.records, e.taken, e.bad, e.undecided, e.unchanged, e.percent, e.input_chunks, "             \
    "e.input_bytes, e.result_chunks, e.result_bytes, e.created_at, e.started_at, e.finished_at, "  \
    "e.name, e.message, e.request, a.kind, a.sid, a.active "                                       \
    "FROM errand e JOIN account a ON a.id = e.account "

/* The row that an ERRAND_SELECT stands on; out owns its strings. */
void errand_from_row(struct errand *out, struct stmt *row);
/* The one row of an ERRAND_SELECT, which is finished; false: none. */
bool errand_found(struct stmt *find, struct errand *out);
bool errand_load(struct db *db, int64_t id, struct errand *out); /* whatever its state */
/* Whether its result may be downloaded, once it has any pieces. */
bool errand_keeps_result(enum errand_kind kind, enum errand_state state);
/* "/Mediapartners/<SID>/Jobs" or "/Advertisers/…". */
enum { ERRAND_BASE_TEXT = 64 };
void errand_base(char out[ERRAND_BASE_TEXT], const struct caller *caller);

/* An ended one as its row now is: publishes job.completed, writes the notice, notes the change. */
void errand_tell_end(struct job *job, struct db *db, int64_t id);
/* Bytes that the account keeps in all. */
int64_t errand_bytes(struct db *db, int64_t account);

#endif
