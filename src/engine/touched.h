/* touched.h — tells other nodes once a second which accounts have changed here (marks.h). */
#ifndef POSTBACKD_TOUCHED_H
#define POSTBACKD_TOUCHED_H

#include "engine/marks.h"
#include "engine/work.h"

struct touched;

/* NULL where the database is not shared. */
struct touched *touched_new(struct work *work, struct marks *marks);
void touched_free(struct touched *touched); /* NULL is allowed */

#endif
