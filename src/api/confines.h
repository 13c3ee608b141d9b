/* confines.h — what those callers may reach who are confined to a part of the API
 * (model/account.h).
 *
 * Asked at the API's one door, before the route's own kinds and scopes are looked at: what is not
 * named here cannot be reached, and a route that is added later is closed until it is named.
 */
#ifndef POSTBACKD_API_CONFINES_H
#define POSTBACKD_API_CONFINES_H

#include "server/call.h"

/* False: answered (403). */
bool confine_allows(struct call *call);

#endif
