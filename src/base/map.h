/* map.h — a hash map from an int64 or a byte string to a pointer.
 *
 * Open addressing, SipHash keyed at random for strings, so that no client can choose collisions.
 * The map copies string keys and owns them; it never owns values.
 */
#ifndef POSTBACKD_MAP_H
#define POSTBACKD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;
struct map { /* all zeroes is empty */
    struct map_slot *slots;
    size_t count, used, cap;
};

void *map_get(const struct map *map, int64_t key);        /* NULL: absent */
void *map_put(struct map *map, int64_t key, void *value); /* gives the old value or NULL */
void *map_remove(struct map *map, int64_t key);           /* gives the old value or NULL */

void *map_get_text(const struct map *map, const char *key, size_t len);
void *map_put_text(struct map *map, const char *key, size_t len, void *value);
void *map_remove_text(struct map *map, const char *key, size_t len);

/* Walks in no order: `size_t at = 0; while ((value = map_each(map, &at)) != NULL)`.
 * Removing the value just given is allowed; putting is not. */
void *map_each(const struct map *map, size_t *at);
void map_free(struct map *map);

#endif
