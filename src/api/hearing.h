/* hearing.h — calls whose handler rests on what is in memory of the database (`current` in their
 * route): where servers share it, what others have committed is heard first (db/news.h).
 */
#ifndef POSTBACKD_API_HEARING_H
#define POSTBACKD_API_HEARING_H

#include "api/api.h"

/* It is known who calls: on to allowances_enter(), at once or when all is heard. */
void hearing_enter(struct api *api, struct call *call);

#endif
