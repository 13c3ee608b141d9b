/* router.c — a tree of path segments.
 *
 * A node has its literal children in a list, at most one child for any segment, and the routes
 * that end there.  Built once at start; looking up writes nothing but the caller's parameters.
 * A literal is tried before the parameter, and the parameter also when the literal leads nowhere.
 */
#include "server/router.h"

#include "base/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METHODS_MAX = 8 };

struct node {
    char *literal; /* NULL: the root, or a parameter */
    struct node *children, *next;
    struct node *any; /* the child for a parameter */
    const struct route *routes[METHODS_MAX];
    size_t route_count;
};

struct router {
    struct node root;
};

static struct node *child_for(struct node *node, const char *segment, size_t len)
{
    if (segment[0] == '{') {
        if (len < 3 || segment[len - 1] != '}')
            return NULL;
        if (node->any == NULL)
            node->any = must_alloc(sizeof(*node->any));
        return node->any;
    }
    for (struct node *child = node->children; child != NULL; child = child->next) {
        if (strlen(child->literal) == len && memcmp(child->literal, segment, len) == 0)
            return child;
    }
    struct node *child = must_alloc(sizeof(*child));
    child->literal = must_copy_bytes(segment, len);
    child->next = node->children;
    node->children = child;
    return child;
}

static void route_add(struct router *router, const struct route *route)
{
    struct node *node = &router->root;
    const char *at = route->pattern;
    size_t depth = 0, params = 0;
    while (*at == '/') {
        size_t len = strcspn(at + 1, "/");
        params += at[1] == '{';
        /* The only empty segment is that of "/" itself. */
        node = len > 0 || strcmp(route->pattern, "/") == 0 ? child_for(node, at + 1, len) : NULL;
        if (node == NULL || ++depth > ROUTER_DEPTH_MAX || params > CALL_PARAMS_MAX)
            bug("the route %s is not well formed", route->pattern);
        at += len + 1;
    }
    if (*at != '\0' || depth == 0 || node->route_count == METHODS_MAX)
        bug("the route %s is not well formed", route->pattern);
    for (size_t i = 0; i < node->route_count; i++) {
        if (strcmp(node->routes[i]->method, route->method) == 0)
            bug("the route %s %s is there twice", route->method, route->pattern);
    }
    node->routes[node->route_count++] = route;
}

struct router *router_new(const struct route *routes, size_t count)
{
    struct router *router = must_alloc(sizeof(*router));
    for (size_t i = 0; i < count; i++)
        route_add(router, &routes[i]);
    return router;
}

static void node_clear(struct node *node)
{
    struct node *next;
    for (struct node *child = node->children; child != NULL; child = next) {
        next = child->next;
        node_clear(child);
        free(child);
    }
    if (node->any != NULL)
        node_clear(node->any);
    free(node->any);
    free(node->literal);
}

void router_free(struct router *router)
{
    if (router == NULL)
        return;
    node_clear(&router->root);
    free(router);
}

/* At most ROUTER_DEPTH_MAX deep, with two ways at each step; patterns are ours, so few fork. */
static const struct node *descend(const struct node *node, const char *const *segments,
                                  size_t count, const char **params, size_t param_count)
{
    if (count == 0)
        return node->route_count > 0 ? node : NULL;
    for (const struct node *child = node->children; child != NULL; child = child->next) {
        if (child->literal[0] != segments[0][0] || strcmp(child->literal, segments[0]) != 0)
            continue;
        const struct node *found = descend(child, segments + 1, count - 1, params, param_count);
        if (found != NULL)
            return found;
        break;
    }
    if (node->any == NULL || segments[0][0] == '\0')
        return NULL;
    params[param_count] = segments[0];
    return descend(node->any, segments + 1, count - 1, params, param_count + 1);
}

static void allow_write(const struct node *node, char allow[ROUTER_ALLOW_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < node->route_count && len < ROUTER_ALLOW_MAX; i++) {
        const char *method = node->routes[i]->method;
        len += (size_t)snprintf(allow + len, ROUTER_ALLOW_MAX - len, "%s%s%s", i > 0 ? ", " : "",
                                method, strcmp(method, "GET") == 0 ? ", HEAD" : "");
    }
}

const struct route *router_find(const struct router *router, const char *method,
                                const char *const *segments, size_t count,
                                const char *params[CALL_PARAMS_MAX], char allow[ROUTER_ALLOW_MAX])
{
    allow[0] = '\0';
    const struct node *node = descend(&router->root, segments, count, params, 0);
    if (node == NULL)
        return NULL;
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < node->route_count; i++) {
        const char *has = node->routes[i]->method;
        if (strcmp(has, wanted) == 0 || strcmp(has, "*") == 0)
            return node->routes[i];
    }
    allow_write(node, allow);
    return NULL;
}
