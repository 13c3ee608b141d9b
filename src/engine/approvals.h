/* approvals.h — accepts the inquiries whose approval rule has come due. */
#ifndef POSTBACKD_APPROVALS_H
#define POSTBACKD_APPROVALS_H

#include "engine/work.h"

struct approvals;
struct approvals *approvals_new(struct work *work); /* looks every ten seconds from now on */
void approvals_free(struct approvals *approvals);

#endif
