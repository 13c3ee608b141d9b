/* attachment.h — a file that is attached to an inquiry: what it may be, and what it is called.
 *
 * A file is what its bytes say, whatever it is called.  It is looked at from its beginning to its
 * end as a container; nothing in it is ever unpacked or drawn here.
 */
#ifndef POSTBACKD_ATTACHMENT_H
#define POSTBACKD_ATTACHMENT_H

#include "base/buf.h"

#include <stddef.h>

enum attachment_kind { ATTACHMENT_PDF = 1, ATTACHMENT_PNG = 2, ATTACHMENT_JPEG = 3 };

enum {
    ATTACHMENT_BYTES_MAX = 5 * 1024 * 1024,
    ATTACHMENT_NAME_MAX = 120,         /* characters, the ending included */
    ATTACHMENT_SIDE_MAX = 20000,       /* of a picture, pixels */
    ATTACHMENT_PIXELS_MAX = 100000000, /* of a picture that whoever opens it has to hold */
};

/* NULL: they are a whole file of *kind; otherwise what is wrong with them, for people. */
const char *attachment_flaw(const void *bytes, size_t len, enum attachment_kind *kind);

const char *attachment_type(enum attachment_kind kind); /* application/pdf … */

/* The last part of a path, without what is not seen, with the ending of its kind.  Never empty. */
void attachment_name(struct buf *out, const char *given, enum attachment_kind kind);

#endif
