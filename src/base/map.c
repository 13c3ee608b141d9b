/* map.c — open addressing with linear probing, a power of two of slots, at most three quarters
 * used.
 *
 * A slot is empty, live, or a grave (removed; probing goes on past it).  `used` counts live slots
 * and graves; growing drops the graves.  Numbers are mixed, strings go through SipHash under a key
 * drawn at random once, so that a client cannot choose keys that collide.
 */
#include "base/map.h"

#include "base/fail.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct map_slot {
    uint64_t hash;
    int64_t number;
    char *text; /* NULL for a number's slot */
    size_t len;
    void *value; /* NULL: empty or, when grave, removed */
    bool grave;
};

static unsigned char siphash_key[crypto_shorthash_KEYBYTES];
static pthread_once_t key_drawn = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
    if (sodium_init() == -1)
        die("libsodium cannot start: no randomness");
    crypto_shorthash_keygen(siphash_key);
}

static uint64_t hash_text(const char *text, size_t len)
{
    uint64_t hash;
    pthread_once(&key_drawn, draw_key);
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)text, len, siphash_key);
    return hash;
}

static uint64_t hash_number(int64_t number)
{
    uint64_t x = (uint64_t)number;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

struct key {
    uint64_t hash;
    int64_t number;
    const char *text;
    size_t len;
};

static bool same(const struct map_slot *slot, const struct key *key)
{
    if (slot->hash != key->hash || (slot->text == NULL) != (key->text == NULL))
        return false;
    if (key->text == NULL)
        return slot->number == key->number;
    return slot->len == key->len && memcmp(slot->text, key->text, key->len) == 0;
}

/* The key's live slot, or else the slot where it would be put; NULL only without any slots. */
static struct map_slot *seek(const struct map *map, const struct key *key)
{
    if (map->cap == 0)
        return NULL;
    struct map_slot *grave = NULL;
    for (size_t at = key->hash & (map->cap - 1);; at = (at + 1) & (map->cap - 1)) {
        struct map_slot *slot = &map->slots[at];
        if (slot->value != NULL) {
            if (same(slot, key))
                return slot;
        } else if (!slot->grave) {
            return grave != NULL ? grave : slot;
        } else if (grave == NULL) {
            grave = slot;
        }
    }
}

static void *get(const struct map *map, const struct key *key)
{
    struct map_slot *slot = seek(map, key);
    return slot != NULL ? slot->value : NULL;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->cap = old.count * 2 < 16 ? 16 : old.cap * (old.count * 2 > old.cap ? 2 : 1);
    map->slots = must_alloc(map->cap * sizeof(*map->slots));
    map->used = old.count;
    for (size_t i = 0; i < old.cap; i++) {
        struct map_slot *from = &old.slots[i];
        if (from->value == NULL)
            continue;
        size_t at = from->hash & (map->cap - 1);
        while (map->slots[at].value != NULL)
            at = (at + 1) & (map->cap - 1);
        map->slots[at] = *from;
    }
    free(old.slots);
}

static void *put(struct map *map, const struct key *key, void *value)
{
    if (value == NULL)
        bug("a map holds no NULL");
    if (map->used + 1 > map->cap / 4 * 3)
        grow(map);
    struct map_slot *slot = seek(map, key);
    void *old = slot->value;
    if (old == NULL) {
        if (!slot->grave)
            map->used++;
        map->count++;
        *slot = (struct map_slot){ .hash = key->hash, .number = key->number, .len = key->len };
        if (key->text != NULL)
            slot->text = must_copy_bytes(key->text, key->len);
    }
    slot->value = value;
    return old;
}

static void *take(struct map *map, const struct key *key)
{
    struct map_slot *slot = seek(map, key);
    if (slot == NULL || slot->value == NULL)
        return NULL;
    void *old = slot->value;
    free(slot->text);
    *slot = (struct map_slot){ .grave = true };
    map->count--;
    return old;
}

static struct key number_key(int64_t number)
{
    return (struct key){ .hash = hash_number(number), .number = number };
}

static struct key text_key(const char *text, size_t len)
{
    return (struct key){ .hash = hash_text(text, len), .text = text, .len = len };
}

void *map_get(const struct map *map, int64_t number)
{
    struct key key = number_key(number);
    return get(map, &key);
}

void *map_put(struct map *map, int64_t number, void *value)
{
    struct key key = number_key(number);
    return put(map, &key, value);
}

void *map_remove(struct map *map, int64_t number)
{
    struct key key = number_key(number);
    return take(map, &key);
}

void *map_get_text(const struct map *map, const char *text, size_t len)
{
    struct key key = text_key(text, len);
    return get(map, &key);
}

void *map_put_text(struct map *map, const char *text, size_t len, void *value)
{
    struct key key = text_key(text, len);
    return put(map, &key, value);
}

void *map_remove_text(struct map *map, const char *text, size_t len)
{
    struct key key = text_key(text, len);
    return take(map, &key);
}

void *map_each(const struct map *map, size_t *at)
{
    while (*at < map->cap) {
        struct map_slot *slot = &map->slots[(*at)++];
        if (slot->value != NULL)
            return slot->value;
    }
    return NULL;
}

void map_free(struct map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        free(map->slots[i].text);
    free(map->slots);
    *map = (struct map){ 0 };
}
