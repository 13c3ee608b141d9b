/* approvals.h — accepts the inquiries whose approval rule has come due. */
#ifndef POSTBACKD_APPROVALS_H
#define POSTBACKD_APPROVALS_H

#include "engine/sweep.h"

struct sweep *approvals_new(struct work *work);

#endif
