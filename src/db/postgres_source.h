/* postgres_source.h — one database on a PostgreSQL, as this process has hold of it. */
#ifndef POSTBACKD_POSTGRES_SOURCE_H
#define POSTBACKD_POSTGRES_SOURCE_H

#include "db/driver.h"

struct postgres_source {
    struct db_source source;
    char *uri;
    int lock;        /* the data directory's, of what is this process's own; -1: there is none */
    int patience_ms; /* for an answer; and for what became of a commit */
};

struct postgres_source *postgres_source_of(const struct db *db);

/* Members of the driver's table.  An address that libpq does not take is refused without a word of
 * it, as a password may stand there. */
struct db_source *postgres_source_open(const struct db_where *where, bool *fresh,
                                       struct error *error);
void postgres_source_close(struct db_source *source);

#endif
