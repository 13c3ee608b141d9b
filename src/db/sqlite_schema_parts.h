/* sqlite_schema_parts.h — what a file of this version consists of, by the schema files themselves.
 *
 * There is no list of tables to keep: the model is an empty database in memory that the embedded
 * schema files make, and a file is compared with it.
 */
#ifndef POSTBACKD_SQLITE_SCHEMA_PARTS_H
#define POSTBACKD_SQLITE_SCHEMA_PARTS_H

#include <sqlite3.h>
#include <stdbool.h>

struct schema_parts;

/* NULL: no memory. */
struct schema_parts *schema_parts_new(void);
void schema_parts_free(struct schema_parts *parts);

/* The name of the table behind this one in order of names (NULL: the first), until the next call;
 * NULL at the end. */
const char *schema_parts_next(struct schema_parts *parts, const char *after);

/* Tells of each table, column and index that the model has and the file has not, or not so.
 * Reads only.  False: the file's schema cannot be read (sqlite3_errmsg() of the handle). */
typedef void schema_lack(void *context, const char *words);
bool schema_parts_compare(struct schema_parts *parts, sqlite3 *handle, schema_lack *tell,
                          void *context);

/* Reads the first and the last row of a table by its own tree.  False: it cannot (…). */
bool schema_parts_edges(struct schema_parts *parts, sqlite3 *handle, const char *table);

#endif
