/* house.h — a store in a temporary directory with a brand, two partners and a campaign, for the
 * tests of the noun files.  Each step is a job of its own, as in the server.
 *
 * With HOUSE_ON=postgresql in the environment the store is a schema of a PostgreSQL that the
 * program starts for itself. */
#ifndef POSTBACKD_TEST_HOUSE_H
#define POSTBACKD_TEST_HOUSE_H

#include "base/fail.h"
#include "db/store.h"
#include "model/postback.h"
#include "store/accounts.h"
#include "store/campaigns.h"
#include "store/direct.h"
#include "store/nouns.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_POSTGRES
#include "postgres_server.h"
#endif

struct house {
    char directory[64];
    char uri[300]; /* "": the store is in the directory */
    uv_loop_t loop;
    struct store *store;
    struct caller operator, brand, other_brand, partner, other_partner;
    int64_t campaign,
        other_campaign; /* of brand, EUR, with partner; of other_brand, USD, nobody in */
    int64_t tracker, other_tracker;
    size_t fresh; /* postbacks handed over */
};

/* What a test does to the store in one transaction. */
typedef bool house_step(struct job *job, struct db *db, void *with);

struct house_job {
    struct job job;
    house_step *does;
    void *with;
};

static inline bool house_run(struct job *job, struct db *db)
{
    struct house_job *mine = container_of(job, struct house_job, job);

    return mine->does(job, db, mine->with);
}

/* Whether it was committed; *error (if not NULL) says why not. */
static inline bool house_do(struct house *house, house_step *does, void *with, struct error *error)
{
    struct house_job mine = { .job = { .run = house_run }, .does = does, .with = with };
    bool ok = store_run_now(house->store, &mine.job);

    if (error != NULL)
        *error = mine.job.error;
    return ok;
}

static inline void house_fresh(void *context, struct list *postbacks)
{
    struct house *house = context;

    for (struct list *node; (node = list_first(postbacks)) != NULL;) {
        struct postback *postback = container_of(node, struct postback, in);
        list_remove(node);
        house->fresh++;
        postback_free(postback);
    }
}

static inline void house_account(struct db *db, enum account_kind kind, const char *name,
                                 struct caller *out)
{
    struct account account = { .kind = kind, .name = must_copy(name), .email = must_copy("") };

    account_add(db, &account);
    *out = (struct caller){ .account = account.id, .kind = kind, .scope = SCOPE_API };
    snprintf(out->sid, sizeof(out->sid), "%s", account.sid);
    snprintf(out->name, sizeof(out->name), "%s's key", name);
    account_clear(&account);
}

/* As when an engine has written all that was out: its floor is above that. */
static inline void house_all_have_rows(struct db *db)
{
    if (db_is_remote(db))
        direct_set_floor(db, db_new_id(db));
}

/* As at the start of a node of a shared database: nothing is out yet. */
static inline bool house_begin(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    if (db_is_remote(db))
        direct_set_floor(db, 1);
    return true;
}

static inline bool house_fill(struct job *job, struct db *db, void *with)
{
    struct house *house = with;

    house_account(db, ACCOUNT_OPERATOR, "Operator", &house->operator);
    house_account(db, ACCOUNT_BRAND, "Acme", &house->brand);
    house_account(db, ACCOUNT_BRAND, "Zenith", &house->other_brand);
    house_account(db, ACCOUNT_PARTNER, "Blog", &house->partner);
    house_account(db, ACCOUNT_PARTNER, "Vlog", &house->other_partner);
    house->campaign = campaign_add(db, house->brand.account, "Acme shop", "EUR");
    house->other_campaign = campaign_add(db, house->other_brand.account, "Zenith shop", "USD");
    house->tracker = tracker_add(db, house->campaign, "Online sale");
    house->other_tracker = tracker_add(db, house->other_campaign, "Online sale");
    membership_add(db, house->campaign, house->partner.account);
    return house_begin(job, db, with);
}

static inline struct store_config house_config(struct house *house)
{
    return (struct store_config){ .directory = house->directory,
                                  .uri = house->uri[0] != '\0' ? house->uri : NULL,
                                  .loop = &house->loop,
                                  .nouns = &store_nouns };
}

/* Whether its store is a file of the directory; a test that is about the file skips others. */
static inline bool house_is_a_file(const struct house *house)
{
    return house->uri[0] == '\0';
}

/* The store of its directory; also once more, after store_close(). */
static inline bool house_open(struct house *house)
{
    const struct store_config config = house_config(house);
    struct error error = { 0 };
    house->store = store_open(&config, &error);
    if (house->store == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return false;
    }
    store_on_fresh(house->store, house_fresh, house);
    return true;
}

/* False: the engine that is asked for is not there. */
static inline bool house_choose(struct house *house)
{
    const char *engine = getenv("POSTBACKD_TEST_ENGINE");
    if (engine == NULL || strcmp(engine, "sqlite") == 0)
        return true;
#ifdef HAVE_POSTGRES
    if (strcmp(engine, "postgresql") == 0) {
        postgres_server_need(true);
        postgres_server_uri(house->uri, postgres_server.folder, postgres_server_schema());
        return true;
    }
#endif
    return false;
}

static inline int house_setup(void **state)
{
    struct house *house = must_alloc(sizeof(*house));

    snprintf(house->directory, sizeof(house->directory), "/tmp/postbackd-test-XXXXXX");
    if (mkdtemp(house->directory) == NULL)
        return -1;
    uv_loop_init(&house->loop);
    if (!house_choose(house) || !house_open(house))
        return -1;
    *state = house;
    return house_do(house, house_fill, house, NULL) ? 0 : -1;
}

static inline int house_remove(const char *path, const struct stat *about, int kind,
                               struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void house_close(struct house *house)
{
    store_close(house->store);
    uv_run(&house->loop, UV_RUN_DEFAULT);
    uv_loop_close(&house->loop);
    nftw(house->directory, house_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int house_teardown(void **state)
{
    struct house *house = *state;
    house_close(house);
    free(house);
    return 0;
}

#endif
