/* figures.h — this server's figures, and the telling of them to the others that share its database.
 */
#ifndef POSTBACKD_API_FIGURES_H
#define POSTBACKD_API_FIGURES_H

#include "api/api.h"
#include "store/node_figures.h"

void figures_look(const struct api *api, struct node_figures *out); /* as they are now */

/* Where the database is shared they are written every few seconds.  NULL: it is not. */
struct figures *figures_new(struct api *api);
/* Nothing more is written; its handle closes in the loop's next turns.  NULL is allowed. */
void figures_free(struct figures *figures);

#endif
