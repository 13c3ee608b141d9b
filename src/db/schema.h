/* schema.h — is this file ours, whole, and of this version?  And bringing it up to date. */
#ifndef POSTBACKD_SCHEMA_H
#define POSTBACKD_SCHEMA_H

#include "db/db.h"

#include <sqlite3.h>
#include <stdbool.h>

/* PRAGMA application_id of our files: "pbkd". */
enum { SCHEMA_APPLICATION = 0x70626b64 };

/* Reads only.  True: an empty file, or one of ours of a version that this program knows. */
bool schema_identify(sqlite3 *handle, const char *path, struct error *error);

/* Runs the numbered files that are newer than the database (each in a transaction of its own),
 * checks that all its parts are there and every table can be read on both its sides. */
bool schema_update(struct db *db, const char *path, struct error *error);

#endif
