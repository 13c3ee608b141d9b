/* drivers.c — the engines there are. */
#include "db/driver.h"

const struct db_driver *db_driver_for(const struct db_where *where)
{
    if (where->uri == NULL) /* a directory is SQLite's */
        return &sqlite_driver;
#ifdef HAVE_POSTGRES
    return &postgres_driver;
#else
    return NULL;
#endif
}
