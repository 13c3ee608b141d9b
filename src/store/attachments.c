/* attachments.c — rows of attachment and attachment_chunk.
 *
 * Every read begins with the inquiry under the caller's account: a file's id alone opens nothing.
 */
#include "store/attachments.h"

#include "db/tx.h"
#include "model/inquiry.h"
#include "model/show.h"
#include "store/inquiries.h"
#include "store/inquiry_history.h"

#include <inttypes.h>
#include <stdlib.h>

/* The inquiry as the caller has it, to be freed.  False with the error. */
static bool begin(struct job *job, struct db *db, const struct caller *caller, int64_t id,
                  struct inquiry *inquiry)
{
    if (!inquiry_find(db, caller, id, inquiry)) {
        error_set(&job->error, ERROR_NOT_FOUND, "There is no action inquiry %" PRId64 ".", id);
        return false;
    }
    if (inquiry->state == INQUIRY_OPEN)
        return true;
    error_set(&job->error, ERROR_CONFLICT,
              "Action inquiry %" PRId64 " is CLOSED: its files stay as they are.", id);
    inquiry_free(inquiry);
    return false;
}

static void note(struct db *db, const struct caller *caller, const struct inquiry *inquiry,
                 enum inquiry_note what, const char *name)
{
    inquiry_history_note(db, inquiry->id, what, caller->account, caller->name, name);
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = inquiry->partner });
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = inquiry->brand });
}

static bool has_room(struct job *job, struct db *db, const struct caller *caller, int64_t inquiry,
                     size_t len)
{
    struct stmt *lock = db_prepare(db, "UPDATE inquiry SET reopened = reopened WHERE id = ?");
    struct stmt *count, *sum;

    db_bind_int(lock, 1, inquiry); /* of two at once the second counts the first */
    db_run(db, lock);
    count = db_prepare(db, "SELECT count(*) FROM attachment WHERE inquiry = ?");
    db_bind_int(count, 1, inquiry);
    if (db_number(count, 0) >= ATTACHMENTS_OF_INQUIRY) {
        error_set(&job->error, ERROR_CONFLICT, "An inquiry has at most %d files.",
                  ATTACHMENTS_OF_INQUIRY);
        return false;
    }
    sum = db_prepare(db, "SELECT CAST(coalesce(sum(bytes), 0) AS bigint) FROM attachment "
                         "WHERE account = ?");
    db_bind_int(sum, 1, caller->account);
    if (db_number(sum, 0) + (int64_t)len > ATTACHMENTS_SHARE) {
        error_set(&job->error, ERROR_QUOTA,
                  "The account's files would have more than 1 GiB together.");
        return false;
    }
    return true;
}

static void add_pieces(struct db *db, int64_t id, const struct attachment_file *file)
{
    const char *bytes = file->bytes;

    for (size_t at = 0, number = 0; at < file->len; at += ATTACHMENT_PIECE, number++) {
        size_t left = file->len - at;
        struct stmt *add = db_prepare(db, "INSERT INTO attachment_chunk (attachment, number, body) "
                                          "VALUES (?, ?, ?)");
        db_bind_int(add, 1, id);
        db_bind_int(add, 2, (int64_t)number);
        db_bind_bytes(add, 3, bytes + at, left < ATTACHMENT_PIECE ? left : ATTACHMENT_PIECE);
        db_run(db, add);
    }
}

bool attachment_add(struct job *job, struct db *db, const struct caller *caller, int64_t inquiry,
                    const struct attachment_file *file, int64_t *id)
{
    struct inquiry at = { 0 };
    struct stmt *add;
    bool done;

    if (!begin(job, db, caller, inquiry, &at))
        return false;
    done = has_room(job, db, caller, inquiry, file->len);
    if (done) {
        add = db_prepare(db, "INSERT INTO attachment (inquiry, account, author, name, kind, bytes, "
                             "created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id");
        db_bind_int(add, 1, inquiry);
        db_bind_int(add, 2, caller->account);
        db_bind_text(add, 3, caller->name);
        db_bind_text(add, 4, file->name);
        db_bind_int(add, 5, (int64_t)file->kind);
        db_bind_int(add, 6, (int64_t)file->len);
        db_bind_int(add, 7, db_now(db));
        *id = db_insert(add);
        add_pieces(db, *id, file);
        note(db, caller, &at, NOTE_ATTACHED, file->name);
    }
    inquiry_free(&at);
    return done;
}

static void drop(struct db *db, int64_t id)
{
    struct stmt *pieces = db_prepare(db, "DELETE FROM attachment_chunk WHERE attachment = ?");
    struct stmt *row;

    db_bind_int(pieces, 1, id);
    db_run(db, pieces);
    row = db_prepare(db, "DELETE FROM attachment WHERE id = ?");
    db_bind_int(row, 1, id);
    db_run(db, row);
}

bool attachment_remove(struct job *job, struct db *db, const struct caller *caller, int64_t inquiry,
                       int64_t id)
{
    struct inquiry at = { 0 };
    struct stmt *find;
    char *name = NULL;

    if (!begin(job, db, caller, inquiry, &at))
        return false;
    find = db_prepare(db, "SELECT name FROM attachment WHERE id = ? AND inquiry = ? "
                          "AND account = ?");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, inquiry);
    db_bind_int(find, 3, caller->account);
    if (db_step(find) == DB_ROW)
        name = db_copy(find, 0);
    db_finish(find);
    if (name != NULL) {
        drop(db, id);
        note(db, caller, &at, NOTE_DETACHED, name);
    } else {
        error_set(&job->error, ERROR_NOT_FOUND,
                  "Action inquiry %" PRId64 " has no such file of this account.", inquiry);
    }
    inquiry_free(&at);
    free(name);
    return name != NULL;
}

static bool may_see(struct db *db, const struct caller *caller, int64_t inquiry)
{
    struct stmt *find = caller->kind == ACCOUNT_BRAND
                            ? db_prepare(db, "SELECT 1 FROM inquiry WHERE id = ? AND brand = ?")
                            : db_prepare(db, "SELECT 1 FROM inquiry WHERE id = ? AND partner = ?");

    db_bind_int(find, 1, inquiry);
    db_bind_int(find, 2, caller->account);
    return db_number(find, 0) == 1;
}

json_t *attachment_list(struct db *db, const struct caller *caller, int64_t inquiry)
{
    struct stmt *list;
    json_t *array;

    if (!may_see(db, caller, inquiry))
        return NULL;
    list = db_prepare(db, "SELECT id, account, author, name, kind, bytes, created_at "
                          "FROM attachment WHERE inquiry = ? ORDER BY id");
    array = json_array();
    db_bind_int(list, 1, inquiry);
    while (db_step(list) == DB_ROW) {
        json_t *shown = json_object();
        show_int(shown, "Id", db_int(list, 0));
        show_text(shown, "Name", db_text(list, 3));
        show_text(shown, "Type", attachment_type((enum attachment_kind)db_int(list, 4)));
        show_int(shown, "Bytes", db_int(list, 5));
        show_text(shown, "User", db_text(list, 2));
        show_bool(shown, "Own", db_int(list, 1) == caller->account);
        show_date(shown, "CreationDate", db_int(list, 6));
        json_array_append_new(array, shown);
    }
    db_finish(list);
    return array;
}

bool attachment_find(struct db *db, const struct caller *caller, int64_t inquiry, int64_t id,
                     struct attachment *out)
{
    struct stmt *find;
    bool found;

    if (!may_see(db, caller, inquiry))
        return false;
    find = db_prepare(db, "SELECT kind, name, bytes FROM attachment "
                          "WHERE id = ? AND inquiry = ?");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, inquiry);
    found = db_step(find) == DB_ROW;
    if (found) {
        out->kind = (enum attachment_kind)db_int(find, 0);
        out->name = db_copy(find, 1);
        out->bytes = db_int(find, 2);
        out->chunks = (out->bytes + ATTACHMENT_PIECE - 1) / ATTACHMENT_PIECE;
    }
    db_finish(find);
    return found;
}

bool attachment_piece(struct db *db, const struct caller *caller, int64_t inquiry, int64_t id,
                      int64_t number, struct buf *out)
{
    struct stmt *find;
    bool found;

    if (!may_see(db, caller, inquiry))
        return false;
    find = db_prepare(db, "SELECT c.body FROM attachment_chunk c JOIN attachment a "
                          "ON a.id = c.attachment WHERE a.id = ? AND a.inquiry = ? "
                          "AND c.number = ?");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, inquiry);
    db_bind_int(find, 3, number);
    found = db_step(find) == DB_ROW;
    if (found) {
        size_t len;
        const void *body = db_bytes(find, 0, &len);
        buf_add(out, body, len);
    }
    db_finish(find);
    return found;
}

void attachments_erase(struct db *db, int64_t inquiry)
{
    struct stmt *pieces = db_prepare(db, "DELETE FROM attachment_chunk WHERE attachment IN "
                                         "(SELECT id FROM attachment WHERE inquiry = ?)");
    struct stmt *rows;

    db_bind_int(pieces, 1, inquiry);
    db_run(db, pieces);
    rows = db_prepare(db, "DELETE FROM attachment WHERE inquiry = ?");
    db_bind_int(rows, 1, inquiry);
    db_run(db, rows);
}
