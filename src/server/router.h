/* router.h — from a method and a path to a route.
 *
 * A tree by segment: literals before {parameters}, case-sensitive.  It borrows the route table.
 */
#ifndef POSTBACKD_ROUTER_H
#define POSTBACKD_ROUTER_H

#include "server/call.h"
#include "server/server.h"

enum { ROUTER_DEPTH_MAX = 12, ROUTER_ALLOW_MAX = 80 };

struct router;

/* A pattern that is not well formed, or is in the table twice for one method, is a bug(). */
struct router *router_new(const struct route *routes, size_t count);
void router_free(struct router *router);

/* `segments` are decoded.  Sets the parameters.  NULL: no route; then `allow` has the methods that
 * the path does have ("GET, HEAD, POST"), "" when it is unknown.  HEAD finds GET's route. */
const struct route *router_find(const struct router *router, const char *method,
                                const char *const *segments, size_t count,
                                const char *params[CALL_PARAMS_MAX], char allow[ROUTER_ALLOW_MAX]);

#endif
