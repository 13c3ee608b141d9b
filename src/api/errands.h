/* errands.h — what jobs do, for the engine that runs them; and what the calls that begin one share.
 */
#ifndef POSTBACKD_API_ERRANDS_H
#define POSTBACKD_API_ERRANDS_H

#include "api/api.h"
#include "engine/errands.h"

extern const struct errand_doers api_errand_doers;
extern const struct errand_doer export_doer, import_doer, postbacks_doer, erasure_doer;

/* {"Status":"OK","Id":…,"Uri":…}, 202: the job is written. */
void errand_answer_begun(struct call *call, int64_t id);
/* Into the audit log, in the job that writes it. */
void errand_audit(const struct call *call, struct db *db, const char *action, int64_t id,
                  json_t *detail);

#endif
