/* postgres_source.h — one database on a PostgreSQL, as this process has hold of it. */
#ifndef POSTBACKD_POSTGRES_SOURCE_H
#define POSTBACKD_POSTGRES_SOURCE_H

#include "db/driver.h"

struct pipeline;

struct postgres_source {
    struct db_source source;
    char *uri, *password_file; /* the file NULL: there is none */
    int lock;        /* the data directory's, of what is this process's own; -1: there is none */
    int patience_ms; /* for an answer; and for what became of a commit */
};

struct postgres_source *postgres_source_of(const struct db *db);
/* A new one, that waits no longer than so for an answer, and no longer than is configured. */
struct pipeline *postgres_source_pipeline(const struct postgres_source *source, int most_ms);

/* Sets *error to what the pipeline has met at a start. */
void postgres_source_refuse(const struct postgres_source *source, const struct pipeline *pipeline,
                            struct error *error);

/* Members of the driver's table.  An address that libpq does not take is refused without a word of
 * it, as a password may stand there.  ERROR_UNAVAILABLE: nothing is wrong that is known, but the
 * database cannot be reached. */
struct db_source *postgres_source_open(const struct db_where *where, bool *fresh,
                                       struct error *error);
void postgres_source_close(struct db_source *source);

#endif
