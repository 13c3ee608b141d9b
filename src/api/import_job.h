/* import_job.h — a large file of inquiries, of decisions or of changes, as a job of the account.
 *
 * The file is looked through once, so that one which cannot be read is refused at once; then it is
 * put into the store in parts of a few rows, each a file of its own, and the job goes through
 * these. Without TakeGoodRows all rows are rehearsed first, and none is taken when one is wrong; a
 * row that is wrong only when its turn comes (as two of the file are about the same order) is then
 * left out.
 */
#ifndef POSTBACKD_IMPORT_JOB_H
#define POSTBACKD_IMPORT_JOB_H

#include "api/api.h"

enum {
    IMPORT_AT_ONCE_BYTES = 8 * 1024 * 1024, /* answered at once, with CSV_ROWS_MAX rows at most */
    IMPORT_BYTES_MAX = 16 * 1024 * 1024,
};

struct import_asked {
    bool take_good_rows, dry_run, with_bad_rows, as_job;
    bool changes; /* of actions */
};

/* Answers the call: 202 with the job's address; or by at_once(), when the file is small and no job
 * was asked for. */
void import_job_begin(struct call *call, struct api *api, const struct import_asked *asked,
                      void (*at_once)(struct call *call, struct api *api,
                                      const struct import_asked *asked));

#endif
