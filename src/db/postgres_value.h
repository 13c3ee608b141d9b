/* postgres_value.h — columns and parameters in PostgreSQL's binary form. */
#ifndef POSTBACKD_POSTGRES_VALUE_H
#define POSTBACKD_POSTGRES_VALUE_H

#include "db/postgres_libpq.h"

#include <stdbool.h>
#include <stdint.h>

enum { POSTGRES_VALUE_MOST = 1000000000 }; /* bytes */

/* The OIDs of types that we bind and read; they never change. */
enum postgres_type {
    POSTGRES_BOOL = 16,
    POSTGRES_BYTES = 17,
    POSTGRES_INT8 = 20,
    POSTGRES_INT2 = 21,
    POSTGRES_INT4 = 23,
    POSTGRES_TEXT = 25,
    POSTGRES_NUMERIC = 1700, /* what sum() makes of int8 */
};

bool postgres_is_number(Oid type);
void postgres_put_int(char into[8], int64_t value);
/* A whole number: of a truth value 0 or 1, of a numeric without its fraction, of a text what it
 * begins with; 0 for NULL. */
int64_t postgres_int(const PGresult *result, int row, int column);

#endif
