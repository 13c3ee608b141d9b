/* directory.h — the data directory, of one process at a time. */
#ifndef POSTBACKD_DIRECTORY_H
#define POSTBACKD_DIRECTORY_H

#include "base/error.h"

#include <stdbool.h>

/* Makes it when absent (0700), mends the modes of what is in it (modes.h) and takes its lock: an
 * open file, which the caller closes at the end.  -1 with *error: another server has it, … */
int directory_take(const char *directory, struct error *error);

/* A text that no other directory has: made once, kept in its file `instance`.  False with *error.
 */
enum { INSTANCE_TEXT = 33 };
bool directory_instance(const char *directory, char out[INSTANCE_TEXT], struct error *error);

#endif
