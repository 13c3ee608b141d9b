/* stand_in.c — a struct call without a connection: query, caller, address, and nothing else. */
#include "api/stand_in.h"

void stand_in_make(struct stand_in *out, const struct caller *caller, const char *address,
                   const json_t *parameters)
{
    size_t count = 0;
    for (void *at = json_object_iter((json_t *)parameters); at != NULL && count < CALL_QUERY_MAX;
         at = json_object_iter_next((json_t *)parameters, at)) {
        const char *value = json_string_value(json_object_iter_value(at));
        if (value != NULL)
            out->pairs[count++] = (struct query_pair){ json_object_iter_key(at), value };
    }
    out->call = (struct call){
        .query = out->pairs, .query_count = count, .caller = *caller, .address = address
    };
}
