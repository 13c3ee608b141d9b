/* approvals.h — accepts the inquiries whose approval rule has come due, and takes the decisions
 * that could be undone until now. */
#ifndef POSTBACKD_APPROVALS_H
#define POSTBACKD_APPROVALS_H

#include "engine/sweep.h"

struct sweep *approvals_new(struct work *work);
struct sweep *held_decisions_new(struct work *work);

#endif
