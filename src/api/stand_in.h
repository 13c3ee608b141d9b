/* stand_in.h — what stands in for a call when a job goes on with what a call has asked for: its
 * parameters, who called, and from where. */
#ifndef POSTBACKD_STAND_IN_H
#define POSTBACKD_STAND_IN_H

#include "server/call.h"

struct stand_in {
    struct call call;
    struct query_pair pairs[CALL_QUERY_MAX];
};

/* Of an object whose members are texts, which live as long as it; what is no text, and more than
 * CALL_QUERY_MAX, is left out. */
void stand_in_make(struct stand_in *out, const struct caller *caller, const char *address,
                   const json_t *parameters);

#endif
