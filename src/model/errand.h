/* errand.h — a job of an account's: an export or an import that takes longer than a page waits.
 *
 * The API calls it a Job.  In the code it is an errand, since a struct job is a piece of work for
 * the store.  The numbers are written to disk: they never change.
 */
#ifndef POSTBACKD_MODEL_ERRAND_H
#define POSTBACKD_MODEL_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

enum errand_state {
    ERRAND_RECEIVING = 1, /* its file is still coming in: not shown */
    ERRAND_QUEUED,
    ERRAND_RUNNING,
    ERRAND_COMPLETED,
    ERRAND_CANCELLED,
    ERRAND_ERROR,  /* what was asked for cannot be done: a bad file, a full quota */
    ERRAND_FAILED, /* the server could not do it */
    ERRAND_STATES
};

enum errand_kind {
    ERRAND_EXPORT_INQUIRIES = 1,
    ERRAND_EXPORT_ACTIONS = 2,
    ERRAND_EXPORT_POSTBACKS = 3,
    ERRAND_EXPORT_ATTEMPTS = 4,
    ERRAND_EXPORT_ACTION_UPDATES = 5,
    ERRAND_EXPORT_AUDIT = 6,
    ERRAND_IMPORT_INQUIRIES = 20,
    ERRAND_IMPORT_DECISIONS = 21,
    ERRAND_IMPORT_CHANGES = 22,
    ERRAND_POSTBACKS = 30, /* all that match are retried, sent again or cancelled */
    ERRAND_ERASURE = 40,   /* of a customer's data */
    ERRAND_KINDS           /* one above the highest */
};

enum {
    ERRANDS_OPEN_MOST = 20,   /* of an account, that have not ended */
    ERRAND_CHUNK = 64 * 1024, /* bytes of a piece of a result; a piece ends with a whole row */
    ERRAND_NAME_MAX = 200,    /* characters */
    ERRAND_RESULT_DAYS = 7,   /* that a result is kept */
    ERRAND_ROW_DAYS = 30,     /* that an ended one is listed */
    ERRAND_QUOTA_MIB = 1024,  /* of an account's results and files together */
};

const char *errand_state_name(enum errand_state state); /* "QUEUED", …; RECEIVING is "QUEUED" */
bool errand_state_named(const char *name, enum errand_state *state);
/* The one table of steps: from each state to those that may follow it. */
bool errand_may_become(enum errand_state from, enum errand_state to);
bool errand_has_ended(enum errand_state state);

/* "POSTBACK_EXPORT", … */
const char *errand_kind_name(enum errand_kind kind);
bool errand_is_import(enum errand_kind kind); /* it takes records, and counts them */
/* What an export is asked for by: "POSTBACKS", … */
bool errand_records_named(const char *name, enum errand_kind *kind);
/* The file's name without its ending, and the job's own name when none was given. */
const char *errand_file(enum errand_kind kind);  /* "postbacks" */
const char *errand_title(enum errand_kind kind); /* "Postbacks" */

#endif
