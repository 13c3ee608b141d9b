/* postbacks.h — what the log's calls share with its export. */
#ifndef POSTBACKD_API_POSTBACKS_H
#define POSTBACKD_API_POSTBACKS_H

#include "server/call.h"
#include "store/postbacks.h"

/* The query of a list (`paged`: PageSize and Before are allowed in it too) as a filter. */
void postback_filter_read(const struct call *call, bool paged, struct postback_filter *filter,
                          struct problems *problems);

#endif
