/* download.h — an answer whose body lies in the store in pieces, sent one by one as the client
 * takes them, so that memory holds one.
 */
#ifndef POSTBACKD_API_DOWNLOAD_H
#define POSTBACKD_API_DOWNLOAD_H

#include "api/api.h"
#include "api/job.h"

struct download { /* at the head of a resource's own struct, which is allocated */
    struct call *call;
    struct api *api;
    int64_t next, chunks; /* pieces: the one to send, and how many there are */
    /* Adds the piece `next`, in a read; false: it is gone.  It names the account. */
    bool (*read)(struct db *db, const struct download *download, struct buf *piece);
    const char *gone; /* what the log and the client are told then */
    void (*free)(struct download *download);
};

/* Answers 200 and takes the download: it is freed when the answer has ended. */
void download_send(struct download *download, const char *content_type);

#endif
