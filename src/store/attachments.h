/* attachments.h — files at inquiries, in pieces; both sides of the inquiry read them, nobody else.
 */
#ifndef POSTBACKD_ATTACHMENTS_H
#define POSTBACKD_ATTACHMENTS_H

#include "base/buf.h"
#include "db/store.h"
#include "model/account.h"
#include "model/attachment.h"

#include <jansson.h>

enum { ATTACHMENTS_OF_INQUIRY = 5, ATTACHMENT_PIECE = 64 * 1024 };
/* All files of an account. */
#define ATTACHMENTS_SHARE ((int64_t)1024 * 1024 * 1024)

struct attachment_file {
    enum attachment_kind kind;
    const char *name; /* attachment_name() */
    const void *bytes;
    size_t len;
};

/* The caller's own, at an open inquiry of its.  ERROR_CONFLICT: there are five, or it is closed;
 * ERROR_QUOTA: the account's share is used up. */
bool attachment_add(struct job *job, struct db *db, const struct caller *caller, int64_t inquiry,
                    const struct attachment_file *file, int64_t *id);
/* Of the caller's account, at an open inquiry. */
bool attachment_remove(struct job *job, struct db *db, const struct caller *caller, int64_t inquiry,
                       int64_t id);
/* An array, oldest first; NULL: the caller has no such inquiry. */
json_t *attachment_list(struct db *db, const struct caller *caller, int64_t inquiry);

struct attachment {
    enum attachment_kind kind;
    char *name; /* the caller frees */
    int64_t bytes, chunks;
};
/* False: the caller has no such inquiry, or that has no such file. */
bool attachment_find(struct db *db, const struct caller *caller, int64_t inquiry, int64_t id,
                     struct attachment *out);
/* The piece of that number; false: it is gone, or the caller may not see it (any more). */
bool attachment_piece(struct db *db, const struct caller *caller, int64_t inquiry, int64_t id,
                      int64_t number, struct buf *out);

/* All of an inquiry's, for whoever takes the inquiry itself away. */
void attachments_erase(struct db *db, int64_t inquiry);

#endif
