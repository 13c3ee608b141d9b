/* postgres_source.c — the address of a database, and its name for people. */
#include "db/postgres_source.h"

#include "base/fail.h"
#include "db/directory.h"
#include "db/postgres_failure.h"
#include "db/postgres_pipeline.h"
#include "db/postgres_schema.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

struct postgres_source *postgres_source_of(const struct db *db)
{
    return container_of(db->source, struct postgres_source, source);
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options != NULL && options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0 && options->val != NULL)
            return options->val;
    }
    return NULL;
}

/* "postgresql://HOST/DATABASE": never the user's password. */
static char *name_of(const PQconninfoOption *given)
{
    PQconninfoOption *defaults = libpq.PQconndefaults();
    const char *host = value_of(given, "host"), *name = value_of(given, "dbname");
    struct buf text = { 0 };

    if (host == NULL)
        host = value_of(defaults, "host");
    if (name == NULL)
        name = value_of(defaults, "dbname");
    buf_fmt(&text, "postgresql://%s/%s", host != NULL ? host : "", name != NULL ? name : "");
    libpq.PQconninfoFree(defaults);
    return buf_take(&text);
}

struct pipeline *postgres_source_pipeline(const struct postgres_source *source, int most_ms)
{
    int patience_ms = source->patience_ms < most_ms ? source->patience_ms : most_ms;
    return pipeline_new(source->uri, source->password_file, patience_ms);
}

void postgres_source_refuse(const struct postgres_source *source, const struct pipeline *pipeline,
                            struct error *error)
{
    const struct pipeline_failure *failure = pipeline_failure(pipeline);
    bool away = postgres_failure(failure->state) == DB_LOST;
    error_set(error, away ? ERROR_UNAVAILABLE : ERROR_BROKEN, "%s: %s", source->source.name,
              failure->text);
}

/* Whether nothing has been written there. */
static bool ask_fresh(struct postgres_source *source, bool *fresh, struct error *error)
{
    struct pipeline *pipeline = postgres_source_pipeline(source, INT_MAX);
    bool known = pipeline_connect(pipeline, "") && postgres_schema_fresh(pipeline, fresh);

    if (!known)
        postgres_source_refuse(source, pipeline, error);
    pipeline_free(pipeline);
    return known;
}

static bool take_directory(struct postgres_source *source, const char *directory,
                           struct error *error)
{
    if (directory != NULL)
        source->lock = directory_take(directory, error);
    return directory == NULL || source->lock != -1;
}

struct db_source *postgres_source_open(const struct db_where *where, bool *fresh,
                                       struct error *error)
{
    if (!libpq_load(error))
        return NULL;
    PQconninfoOption *options = libpq.PQconninfoParse(where->uri, NULL);
    if (options == NULL) {
        error_set(error, ERROR_BROKEN,
                  "the address of the database is none that PostgreSQL understands; it is like "
                  "postgresql://USER@HOST:PORT/DATABASE");
        return NULL;
    }
    struct postgres_source *source = must_alloc(sizeof(*source));
    *source = (struct postgres_source){
        .source = { .driver = &postgres_driver, .name = name_of(options), .remote = true },
        .uri = must_copy(where->uri),
        .password_file = where->password_file != NULL ? must_copy(where->password_file) : NULL,
        .lock = -1,
        .patience_ms = where->patience_ms > 0 ? where->patience_ms : PATIENCE_MS,
    };
    libpq.PQconninfoFree(options);
    if (take_directory(source, where->directory, error) && ask_fresh(source, fresh, error))
        return &source->source;
    postgres_source_close(&source->source);
    return NULL;
}

void postgres_source_close(struct db_source *any)
{
    struct postgres_source *source = container_of(any, struct postgres_source, source);

    if (source->lock != -1)
        close(source->lock);
    buf_free(&any->lost);
    free((char *)any->name);
    explicit_bzero(source->uri, strlen(source->uri)); /* it may hold a password */
    free(source->uri);
    free(source->password_file);
    free(source);
}
