/* second_factor.h — users' second factors: set up, turned off, reset; and an account that asks each
 * of its users for one. */
#ifndef POSTBACKD_API_SECOND_FACTOR_H
#define POSTBACKD_API_SECOND_FACTOR_H

#include "api/api.h"
#include "model/fields.h"

/* The member Code, owned by the caller; NULL with a problem. */
char *second_factor_code(const struct fields *fields);
void second_factor_wipe(char *code);               /* and frees it */
void second_factor_refuse_more(struct call *call); /* 429: too many wrong codes */

#endif
