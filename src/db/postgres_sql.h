/* postgres_sql.h — a statement's text as PostgreSQL wants it: parameters by `$N`. */
#ifndef POSTBACKD_POSTGRES_SQL_H
#define POSTBACKD_POSTGRES_SQL_H

#include <stdbool.h>

enum { POSTGRES_PARAMETERS_MOST = 4096 }; /* the protocol takes 65,535 */

struct postgres_sql {
    char *text;     /* the caller frees */
    int parameters; /* the highest number */
    bool rows;      /* it answers with rows: whoever runs it waits for them */
    bool writes;    /* it may change something */
};

/* `?` is the number behind the highest so far, `?N` is N; those within quotes and comments stay as
 * they are.  More parameters than POSTGRES_PARAMETERS_MOST end the program. */
struct postgres_sql postgres_sql_of(const char *sql);

#endif
