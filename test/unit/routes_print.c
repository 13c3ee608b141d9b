/* routes_print.c — prints the server's own table of routes, one a line, for the tests that hold the
 * documentation against it: method, pattern, account kinds, scopes, whether it counts against the
 * rate limit, and the most bytes of a body, with a tab between. */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The pages' are no part of the API. */
static bool is_a_page(const struct route *route)
{
    for (size_t i = 0; i < page_route_count; i++) {
        if (strcmp(page_routes[i].pattern, route->pattern) == 0)
            return true;
    }
    return false;
}

static void print_set(unsigned set, const char *(*name)(unsigned))
{
    const char *joint = "";
    printf("\t");
    for (unsigned bit = 1; bit <= 8; bit *= 2) {
        if ((set & bit) == 0)
            continue;
        printf("%s%s", joint, name(bit));
        joint = ",";
    }
}

static const char *kind(unsigned bit)
{
    return account_kind_name((enum account_kind)bit);
}

static const char *scope(unsigned bit)
{
    return scope_name((enum scope)bit);
}

int main(void)
{
    size_t count;
    struct route *routes = api_routes(&count);
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &routes[i];
        if (is_a_page(route))
            continue;
        printf("%s\t%s", route->method, route->pattern);
        print_set(route->who, kind);
        print_set(route->scopes, scope);
        printf("\t%s\t%zu\n", route->counted ? "counted" : "",
               route->body_max > 0 ? route->body_max : (size_t)SERVER_BODY_DEFAULT);
    }
    free(routes);
    return 0;
}
