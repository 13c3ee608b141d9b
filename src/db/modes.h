/* modes.h — who else may touch the store's files: nobody. */
#ifndef POSTBACKD_MODES_H
#define POSTBACKD_MODES_H

#include "base/error.h"

#include <stdbool.h>

/* Looks at the directory and at each file of ours in it, before any is opened.  What others may
 * read or write is taken from them and said in the log.  False: something belongs to another user,
 * is a symbolic link or no plain file, or its mode cannot be changed. */
bool modes_mend(const char *directory, struct error *error);

#endif
