/* config_file.h — the lines of a settings file, `name = value` each.
 *
 * A line stands alone: nothing is joined to the one before, however far it is indented, and none
 * is cut, however long it is.  Blank lines and those that start with '#' or ';' are passed over,
 * and so is what follows ';' behind a space.  A byte order mark and CRLF are taken.
 */
#ifndef POSTBACKD_CONFIG_FILE_H
#define POSTBACKD_CONFIG_FILE_H

#include "base/error.h"

#include <stdbool.h>

enum { CONFIG_FILE_MAX = 1024 * 1024 }; /* bytes of a settings file */

/* Takes one setting; both texts are trimmed and stay the reader's.  False with *error: stop. */
typedef bool config_file_take(void *context, const char *name, const char *value, int line,
                              struct error *error);

/* Gives each setting to `take`, in order.  False with *error, which names the file, the line and
 * what would be right: it cannot be read, a line is no setting, or `take` said so. */
bool config_file_read(const char *path, config_file_take *take, void *context, struct error *error);

#endif
