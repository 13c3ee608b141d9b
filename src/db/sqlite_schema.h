/* sqlite_schema.h — is this file ours, whole, and of this version?  And bringing it up to date. */
#ifndef POSTBACKD_SQLITE_SCHEMA_H
#define POSTBACKD_SQLITE_SCHEMA_H

#include "db/db.h"

#include <sqlite3.h>
#include <stdbool.h>

/* PRAGMA application_id of our files: "pbkd". */
enum { SCHEMA_APPLICATION = 0x70626b64 };

/* Reads only.  True: an empty file, or one of ours of a version that this program knows. */
bool schema_identify(sqlite3 *handle, const char *path, struct error *error);

#endif
