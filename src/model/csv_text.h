/* csv_text.h — the text of a file that a spreadsheet saved, as UTF-8.
 *
 * Read: UTF-8, with or without a byte order mark; UTF-16 with one; Windows-1252, of which Latin-1
 * is a part, when no byte above 0x7f is UTF-8.
 */
#ifndef POSTBACKD_CSV_TEXT_H
#define POSTBACKD_CSV_TEXT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/* Fills *out (empty, its limit set) without the mark; *notice is a sentence to tell the file's
 * owner how it was read, or NULL.  False with *error, which names the line: no text, or a mixture.
 */
bool csv_text_read(const char *bytes, size_t len, struct buf *out, const char **notice,
                   struct error *error);

#endif
