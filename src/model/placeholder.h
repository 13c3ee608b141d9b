/* placeholder.h — a tool's placeholder that came in the place of a value: "{order_id}".
 *
 * Tracking tools fill such a name in before they call; where one is not set up, it arrives as it
 * stands, the same for every order.
 */
#ifndef POSTBACKD_PLACEHOLDER_H
#define POSTBACKD_PLACEHOLDER_H

#include <stdbool.h>

/* Whether the whole text is one, also percent-encoded: a name between the marks of a notation.  A
 * name begins with a letter or '_' and has at most two digits, so that "{8F3A-2291}" and "[1001]",
 * which some shops number orders by, are none. */
bool placeholder_is(const char *text);

/* What is wrong with it, as the end of a sentence. */
#define PLACEHOLDER_WRONG "is a placeholder that nobody filled in; send the value itself"

#endif
