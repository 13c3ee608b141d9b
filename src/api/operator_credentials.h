/* operator_credentials.h — what each change of an event notification's credentials (custom headers,
 * a TLS identity, where they go) has in common. */
#ifndef POSTBACKD_API_OPERATOR_CREDENTIALS_H
#define POSTBACKD_API_OPERATOR_CREDENTIALS_H

#include "api/api.h"

struct notification;

/* The body as any JSON, as call_json(); the copy of it that the call holds is wiped. */
json_t *credentials_body(struct call *call);

/* Every text in it, in place. */
void credentials_wipe(json_t *value);

/* ---- on a store thread ---- */

/* The event notification, if `destination` (For of the request; NULL: not given) is what its URL
 * leads to: what the operator saw may have changed meanwhile.  NULL, with the job's error set:
 * ERROR_NOT_FOUND, ERROR_CONFLICT, or ERROR_INVALID with a problem.  The caller unrefs it. */
struct notification *credentials_open(struct api_job *job, struct db *db, int64_t id,
                                      const json_t *destination);

/* Its next revision, and a row of the audit log, whose `detail` is stolen; never a secret. */
bool credentials_write(struct api_job *job, struct db *db, struct notification *notification,
                       const char *action, json_t *detail);

#endif
