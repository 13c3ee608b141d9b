/* actions.h — what the calls about actions share with their export. */
#ifndef POSTBACKD_API_ACTIONS_H
#define POSTBACKD_API_ACTIONS_H

#include "server/call.h"
#include "store/action_updates.h"
#include "store/actions.h"

/* The query of a list (`paged`: Page and PageSize are allowed in it too) as a filter, whose texts
 * are the call's. */
void action_filter_read(const struct call *call, bool paged, struct action_filter *filter,
                        struct problems *problems);
/* The same of a list of updates. */
void action_update_filter_read(const struct call *call, bool paged,
                               struct action_update_filter *filter, struct problems *problems);

#endif
