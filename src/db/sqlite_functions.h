/* sqlite_functions.h — what the nouns and the schema call in SQL and SQLite does not have. */
#ifndef POSTBACKD_SQLITE_FUNCTIONS_H
#define POSTBACKD_SQLITE_FUNCTIONS_H

#include <sqlite3.h>
#include <stdbool.h>

bool sqlite_add_functions(sqlite3 *handle); /* to each connection */

#endif
