/* portal.h — an account's event notifications and postbacks inside another product's page.
 *
 * The operator asks for a portal session and is given a one-time address for a frame.  The page
 * there exchanges its code for a token, which it holds in memory: a cookie of ours would be a third
 * party's in that frame, and browsers keep those back or forget them.  The token reaches what
 * confines.c names, and nothing else.  Only pages of the origins that the operator allows may have
 * that page in a frame; all others stay in none.
 */
#ifndef POSTBACKD_API_PORTAL_H
#define POSTBACKD_API_PORTAL_H

#include "api/api.h"

/* Takes the origins, "https://shop.example" (http too for this machine's own names).  False with
 * *error. */
bool portal_origins(struct api *api, const char *const *origins, size_t count, struct error *error);
/* What may have the page /portal in a frame, for its policy; NULL: nobody. */
const char *portal_ancestors(const struct api *api);

#endif
