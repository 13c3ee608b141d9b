/* postgres_value.c — numbers to and from the network's order of bytes. */
#include "db/postgres_value.h"

#include "base/fail.h"

#include <stdlib.h>

enum { NUMERIC_BASE = 10000, NUMERIC_HEAD = 4 /* count, weight, sign, scale */ };

bool postgres_is_number(Oid type)
{
    return type == POSTGRES_INT8 || type == POSTGRES_INT4 || type == POSTGRES_INT2 ||
           type == POSTGRES_BOOL || type == POSTGRES_NUMERIC;
}

void postgres_put_int(char into[8], int64_t value)
{
    for (int i = 7; i >= 0; i--) {
        into[i] = (char)(value & 0xff);
        value >>= 8;
    }
}

/* Signed, of `size` bytes. */
static int64_t get_int(const char *from, int size)
{
    uint64_t value = from[0] < 0 ? UINT64_MAX : 0;

    for (int i = 0; i < size; i++)
        value = value << 8 | (unsigned char)from[i];
    return (int64_t)value;
}

static int64_t get_numeric(const char *from, int size)
{
    int count = (int)get_int(from, 2), weight = (int)get_int(from + 2, 2);
    uint64_t value = 0;

    if (size < (NUMERIC_HEAD + count) * 2)
        return 0;
    for (int i = 0; i <= weight; i++)
        value = value * NUMERIC_BASE +
                (i < count ? (uint64_t)get_int(from + (NUMERIC_HEAD + i) * 2, 2) : 0);
    return get_int(from + 4, 2) == 0 ? (int64_t)value : -(int64_t)value;
}

int64_t postgres_int(const PGresult *result, int row, int column)
{
    const char *value = libpq.PQgetvalue(result, row, column);
    int size = libpq.PQgetlength(result, row, column);

    if (libpq.PQgetisnull(result, row, column))
        return 0;
    switch (libpq.PQftype(result, column)) {
    case POSTGRES_INT8:
    case POSTGRES_INT4:
    case POSTGRES_INT2:
        return get_int(value, size);
    case POSTGRES_BOOL:
        return value[0] != 0;
    case POSTGRES_NUMERIC:
        return get_numeric(value, size);
    case POSTGRES_TEXT:
        return strtoll(value, NULL, 10);
    default:
        bug("column %s has a type that is read by nothing (%u)", libpq.PQfname(result, column),
            libpq.PQftype(result, column));
    }
}
