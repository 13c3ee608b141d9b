/* download.c — each piece is a read of its own; the next is asked for when the last has left. */
#include "api/download.h"

struct piece_job {
    struct api_job api;
    struct download *download;
    struct buf piece;
};

static bool run_piece(struct api_job *job, struct db *db)
{
    struct piece_job *work = (struct piece_job *)job;
    const struct download *download = work->download;
    buf_reset(&work->piece);
    if (download->read(db, download, &work->piece))
        return true;
    error_set(&job->job.error, ERROR_CONFLICT, "%s", download->gone);
    return false;
}

static void clear_piece(struct api_job *job)
{
    buf_free(&((struct piece_job *)job)->piece);
}

static void piece_done(struct job *inner, bool ok)
{
    struct api_job *job = container_of(inner, struct api_job, job);
    struct piece_job *work = (struct piece_job *)job;
    struct download *download = work->download;
    if (ok) {
        download->next++;
        call_piece(download->call, buf_text(&work->piece), work->piece.len,
                   download->next == download->chunks);
    } else {
        call_piece_failed(download->call, &inner->error);
    }
    api_job_drop(job);
}

static void next_piece(struct call *call, void *data)
{
    struct download *download = data;
    struct piece_job *job =
        api_job_new(sizeof(*job), call, download->api, run_piece, NULL, clear_piece);
    job->download = download;
    job->api.job.done = piece_done;
    api_read(&job->api);
}

static void pieces_end(struct call *call, void *data, bool whole)
{
    struct download *download = data;
    (void)call;
    (void)whole;
    download->free(download);
}

void download_send(struct download *download, const char *content_type)
{
    static const struct call_source source = { next_piece, pieces_end };
    call_answer_in_pieces(download->call, 200, content_type, &source, download);
}
