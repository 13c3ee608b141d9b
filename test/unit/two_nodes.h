/* two_nodes.h — a second node on a house's database: a store of its own, with a number of its own.
 *
 * Only where the database can be shared: on PostgreSQL, which a group of tests asks for by
 * two_nodes_need().  What the second one hands over is kept until it is taken.
 */
#ifndef POSTBACKD_TEST_TWO_NODES_H
#define POSTBACKD_TEST_TWO_NODES_H

#include "postback_house.h"

#include <fcntl.h>

struct two_nodes {
    struct house *house; /* the first */
    struct house other;  /* the same accounts and campaigns */
};

/* The number that it has got, the node bits of its ids. */
static inline int node_of(const struct house *house)
{
    return (int)store_guard(house->store)->node;
}

/* False: there is no PostgreSQL here, so nothing can be shared. */
static inline bool two_nodes_need(void)
{
#ifdef HAVE_POSTGRES
    setenv("POSTBACKD_TEST_ENGINE", "postgresql", 1);
    return true;
#else
    return false;
#endif
}

/* The key is one for all nodes. */
static inline void two_nodes_copy_key(const struct two_nodes *two)
{
    char from[128], to[128], key[64];
    snprintf(from, sizeof(from), "%s/secret.key", two->house->directory);
    snprintf(to, sizeof(to), "%s/secret.key", two->other.directory);
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ssize_t len = in != -1 ? read(in, key, sizeof(key)) : -1;
    if (out == -1 || len <= 0 || write(out, key, (size_t)len) != len)
        die("the key cannot be copied");
    close(in);
    close(out);
}

static inline int two_nodes_setup(void **state)
{
    struct two_nodes *two = must_alloc(sizeof(*two));
    void *house = NULL;
    if (house_setup(&house) != 0)
        return -1;
    two->house = house;
    two->other = *two->house;
    snprintf(two->other.directory, sizeof(two->other.directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(two->other.directory) == NULL)
        return -1;
    two_nodes_copy_key(two);
    uv_loop_init(&two->other.loop);
    if (!house_open(&two->other))
        return -1;
    *state = two;
    return house_do(&two->other, house_begin, NULL, NULL) ? 0 : -1;
}

static inline int two_nodes_teardown(void **state)
{
    struct two_nodes *two = *state;
    void *house = two->house;
    house_close(&two->other);
    int code = house_teardown(&house);
    free(two);
    return code;
}

#define OF_TWO_NODES(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, two_nodes_setup, two_nodes_teardown)

#endif
