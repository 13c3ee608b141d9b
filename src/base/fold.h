/* fold.h — letters of either case made one, so that a search finds a word however it is written.
 *
 * The table is the program's own, so that it is the same on every machine and with every database:
 * one character becomes one character, in the Latin, Greek, Cyrillic and Armenian scripts and the
 * full-width letters.  All else stays what it is.
 */
#ifndef POSTBACKD_FOLD_H
#define POSTBACKD_FOLD_H

#include "base/buf.h"

#include <stddef.h>

/* Adds the first `most` bytes of the text at most (never half a character), folded.  What is no
 * UTF-8 stays as it is. */
void fold_add(struct buf *out, const char *text, size_t len, size_t most);

#endif
