/* inquiries.h — what the calls about single inquiries share with their import and export. */
#ifndef POSTBACKD_API_INQUIRIES_H
#define POSTBACKD_API_INQUIRIES_H

#include "api/api.h"
#include "store/inquiries.h"

/* Opens an inquiry of these fields for the calling partner, in a write job; a Currency that is not
 * given becomes the campaign's (set in `fields`).  False with all problems named, or job->error;
 * then nothing was written.  `label` as in inquiry_read(). */
bool inquiry_create(struct job *job, struct db *db, const struct call *call, json_t *fields,
                    const char *(*label)(const char *), struct problems *problems, int64_t *id);
/* The calling brand's decision, likewise. */
bool inquiry_decide(struct job *job, struct db *db, const struct call *call, const json_t *fields,
                    const char *(*label)(const char *), struct problems *problems, int64_t *id);

/* The query of a list (`paged`: Page and PageSize are allowed in it too) as a filter of the
 * caller's role; its texts are the call's. */
void inquiry_filter_read(const struct call *call, bool paged, struct inquiry_filter *filter,
                         struct problems *problems);

/* One as the API shows it to the caller; NULL: not found. */
json_t *inquiry_shown(struct db *db, const struct caller *caller, int64_t id);

/* "/Mediapartners/<SID>/ActionInquiries" or "/Advertisers/…", of the caller. */
enum { INQUIRIES_URI = 80 };
const char *inquiries_uri(char out[INQUIRIES_URI], const struct caller *caller);

#endif
