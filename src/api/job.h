/* job.h — the parts of a call's job; for job.c and write.c alone. */
#ifndef POSTBACKD_API_JOB_H
#define POSTBACKD_API_JOB_H

#include "api/api.h"

bool api_job_run(struct job *inner, struct db *db); /* job.run of every api_job */
/* Before it is given to the store: whose turn it is. */
void api_job_get_ready(struct api_job *job);

#endif
