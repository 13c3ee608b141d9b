/* attachments.c — files at inquiries over HTTP: given as a raw body, listed, sent, taken away.
 *
 * A file goes out as a download alone, a piece at a time, with headers under which no browser shows
 * it as a page of ours.
 */
#include "store/attachments.h"
#include "api/body.h"
#include "api/download.h"
#include "api/inquiries.h"
#include "base/fail.h"
#include "base/text.h"
#include "store/accounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file_work {
    struct api_job api;
    int64_t inquiry, id;
    enum attachment_kind kind;
    struct buf name;
};

static void clear(struct api_job *job)
{
    buf_free(&((struct file_work *)job)->name);
}

static struct file_work *work_new(struct call *call, void *context,
                                  bool (*run)(struct api_job *, struct db *),
                                  void (*finish)(struct api_job *))
{
    struct file_work *work = api_job_new(sizeof(*work), call, context, run, finish, clear);
    work->inquiry = path_id(call, 1);
    if (call->params[2] != NULL)
        work->id = path_id(call, 2);
    return work;
}

static void audit(struct db *db, const struct call *call, const char *action, int64_t inquiry,
                  int64_t id)
{
    char base[INQUIRIES_URI], object[INQUIRIES_URI + 64];
    snprintf(object, sizeof(object), "%s/%" PRId64 "/Attachments/%" PRId64,
             inquiries_uri(base, &call->caller), inquiry, id);
    audit_add(db, &call->caller, call->address, action, object, NULL);
}

/* ---- giving one ---- */

static bool run_add(struct api_job *job, struct db *db)
{
    struct file_work *work = (struct file_work *)job;
    const struct attachment_file file = { work->kind, buf_text(&work->name), job->call->body.data,
                                          job->call->body.len };
    bool done = attachment_add(&job->job, db, &job->call->caller, work->inquiry, &file, &work->id);
    if (done)
        audit(db, job->call, "inquiry.attach", work->inquiry, work->id);
    return done;
}

static void finish_change(struct api_job *job)
{
    const struct file_work *work = (const struct file_work *)job;
    char base[INQUIRIES_URI];
    call_ok(job->call, "%s/%" PRId64 "/Attachments/%" PRId64,
            inquiries_uri(base, &job->call->caller), work->inquiry, work->id);
}

/* What it is said to be, which may be left open. */
static bool is_said(const struct call *call, enum attachment_kind kind)
{
    return call_has_type(call, attachment_type(kind)) ||
           call_has_type(call, "application/octet-stream");
}

static void handle_add(struct call *call, void *context)
{
    static const char *const names[] = { "Name", NULL };
    bool known = call_has_type(call, "application/octet-stream");
    for (int kind = ATTACHMENT_PDF; kind <= ATTACHMENT_JPEG; kind++)
        known = known || call_has_type(call, attachment_type((enum attachment_kind)kind));
    if (!known) {
        call_refuse(call, 415, NULL,
                    "The body must be application/pdf, image/png, image/jpeg or "
                    "application/octet-stream");
        return;
    }
    struct file_work *work = work_new(call, context, run_add, finish_change);
    struct problems *problems = &work->api.problems;
    call_query_only(call, names, problems);
    const char *flaw = attachment_flaw(call->body.data, call->body.len, &work->kind);
    if (flaw != NULL)
        problems_add(problems, "", "the file %s", flaw);
    else if (!is_said(call, work->kind))
        problems_add(problems, "", "the file is %s, and said to be something else",
                     attachment_type(work->kind));
    else
        attachment_name(&work->name, call_query(call, "Name"), work->kind);
    if (api_job_valid(&work->api))
        api_write(&work->api);
}

/* ---- list, taking away ---- */

static bool run_list(struct api_job *job, struct db *db)
{
    json_t *files =
        attachment_list(db, &job->call->caller, ((const struct file_work *)job)->inquiry);
    if (files != NULL)
        job->shown = whole_answer(job->call, "Attachments", files);
    return files != NULL;
}

static void handle_list(struct call *call, void *context)
{
    api_read(&work_new(call, context, run_list, api_job_show)->api);
}

static bool run_remove(struct api_job *job, struct db *db)
{
    const struct file_work *work = (const struct file_work *)job;
    bool done = attachment_remove(&job->job, db, &job->call->caller, work->inquiry, work->id);
    if (done)
        audit(db, job->call, "inquiry.detach", work->inquiry, work->id);
    return done;
}

static void handle_remove(struct call *call, void *context)
{
    api_write(&work_new(call, context, run_remove, finish_change)->api);
}

/* ---- sending one ---- */

struct file_download {
    struct download download;
    struct caller caller;
    int64_t inquiry, id;
    struct attachment file;
};

struct file_job {
    struct api_job api;
    struct file_download *found; /* NULL: handed on */
};

static bool read_file(struct db *db, const struct download *download, struct buf *piece)
{
    const struct file_download *file = (const struct file_download *)download;
    return attachment_piece(db, &file->caller, file->inquiry, file->id, download->next, piece);
}

static void free_file(struct download *download)
{
    free(((struct file_download *)download)->file.name);
    free(download);
}

static bool run_find(struct api_job *job, struct db *db)
{
    struct file_download *found = ((struct file_job *)job)->found;
    free(found->file.name);
    found->file = (struct attachment){ 0 };
    return attachment_find(db, &found->caller, found->inquiry, found->id, &found->file);
}

static void clear_find(struct api_job *job)
{
    struct file_download *found = ((struct file_job *)job)->found;
    if (found != NULL)
        free_file(&found->download);
}

/* A name of ASCII for old programs, and the whole one. */
static void add_disposition(struct call *call, const char *name)
{
    struct buf value = { 0 };
    buf_str(&value, "attachment; filename=\"");
    for (const char *at = name; *at != '\0'; at++)
        buf_add(&value, (unsigned char)*at < 0x80 ? at : "_", 1);
    buf_str(&value, "\"; filename*=UTF-8''");
    text_percent_encode(&value, name, strlen(name));
    call_add_header(call, "Content-Disposition", buf_text(&value));
    buf_free(&value);
}

static void finish_find(struct api_job *job)
{
    struct file_download *found = ((struct file_job *)job)->found;
    ((struct file_job *)job)->found = NULL;
    add_disposition(job->call, found->file.name);
    call_add_header(job->call, "Content-Security-Policy", "default-src 'none'; sandbox");
    found->download.chunks = found->file.chunks;
    download_send(&found->download, attachment_type(found->file.kind));
}

static void handle_download(struct call *call, void *context)
{
    struct file_job *job =
        api_job_new(sizeof(*job), call, context, run_find, finish_find, clear_find);
    job->found = must_alloc(sizeof(*job->found));
    *job->found = (struct file_download){
        .download = { .call = call,
                      .api = context,
                      .read = read_file,
                      .gone = "the file was taken away meanwhile",
                      .free = free_file },
        .caller = call->caller,
        .inquiry = path_id(call, 1),
        .id = path_id(call, 2),
    };
    api_read(&job->api);
}

/* ---- routes ---- */

#define PARTNER "/Mediapartners/{SID}/ActionInquiries/{Id}/Attachments"
#define BRAND   "/Advertisers/{SID}/ActionInquiries/{Id}/Attachments"
#define READS   (SCOPE_API | SCOPE_READ)
#define ONE     "/{AttachmentId}"

const struct route attachment_routes[] = {
    { "GET", PARTNER, handle_list, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "POST", PARTNER, handle_add, ACCOUNT_PARTNER, SCOPE_API, COUNTED, ATTACHMENT_BYTES_MAX,
      .reads_query = true },
    { "GET", PARTNER ONE, handle_download, ACCOUNT_PARTNER, READS, COUNTED, 0 },
    { "DELETE", PARTNER ONE, handle_remove, ACCOUNT_PARTNER, SCOPE_API, COUNTED, 0 },
    { "GET", BRAND, handle_list, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "POST", BRAND, handle_add, ACCOUNT_BRAND, SCOPE_API, COUNTED, ATTACHMENT_BYTES_MAX,
      .reads_query = true },
    { "GET", BRAND ONE, handle_download, ACCOUNT_BRAND, READS, COUNTED, 0 },
    { "DELETE", BRAND ONE, handle_remove, ACCOUNT_BRAND, SCOPE_API, COUNTED, 0 },
};
const size_t attachment_route_count = sizeof(attachment_routes) / sizeof(attachment_routes[0]);
