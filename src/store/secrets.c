/* secrets.c — what is sealed: a version byte, and what the ring makes of it (keyring.h).
 *
 * A key that is another database's is refused at the start: a sealed word in the database tells.
 */
#include "store/secrets.h"

#include "base/fail.h"
#include "base/text.h"
#include "store/keyring.h"
#include "store/meta.h"

#include <stdlib.h>
#include <string.h>

enum { SEAL_VERSION = 1, SEAL_MAX = 1024 * 1024 };

void secrets_seal(struct buf *out, const void *plain, size_t len)
{
    if (len > SEAL_MAX)
        bug("a secret of %zu bytes", len);
    size_t size = 1 + KEYRING_HEAD + len;
    unsigned char *room = (unsigned char *)buf_room(out, size);
    if (room == NULL)
        return;
    room[0] = SEAL_VERSION;
    keyring_seal(room + 1, plain, len);
    buf_grew(out, size);
}

/* The place of the key that opened it; -1: none does. */
static int unseal(struct buf *out, const void *sealed, size_t len)
{
    const unsigned char *bytes = sealed;
    const size_t least = 1 + KEYRING_HEAD;
    if (len < least || len > least + SEAL_MAX || bytes[0] != SEAL_VERSION)
        return -1;
    unsigned char *room = (unsigned char *)buf_room(out, len - least + 1);
    int place = room != NULL ? keyring_unseal(room, bytes + 1, len - 1) : -1;
    if (place != -1)
        buf_grew(out, len - least);
    return place;
}

bool secrets_unseal(struct buf *out, const void *sealed, size_t len)
{
    return unseal(out, sealed, len) != -1;
}

enum resealed secrets_reseal(struct buf *out, const void *sealed, size_t len)
{
    struct buf plain = { 0 };
    int place = unseal(&plain, sealed, len);
    if (place > 0)
        secrets_seal(out, plain.data, plain.len);
    buf_wipe(&plain);
    return place == -1 ? RESEAL_SHUT : place == 0 ? RESEAL_NOT_NEEDED : RESEAL_DONE;
}

/* ---- whose key it is ---- */

static const char known_word[] = "postbackd";

bool secrets_fit(const char *sealed_word)
{
    struct buf bytes = { 0 }, word = { 0 };
    bool good = text_unbase64(&bytes, sealed_word, strlen(sealed_word), false) &&
                secrets_unseal(&word, bytes.data, bytes.len) &&
                strcmp(buf_text(&word), known_word) == 0;
    buf_free(&bytes);
    buf_free(&word);
    return good;
}

static void seal_word(struct buf *out)
{
    struct buf sealed = { 0 };
    secrets_seal(&sealed, known_word, strlen(known_word));
    text_base64(out, sealed.data, sealed.len, false);
    buf_free(&sealed);
}

void secrets_reseal_word(struct db *db)
{
    struct buf text = { 0 };
    seal_word(&text);
    meta_put_text(db, "sealed_word", buf_text(&text));
    buf_free(&text);
}

static void write_word(struct db *db, const void *sealed)
{
    struct stmt *put = db_prepare(db, "INSERT INTO meta (key, value) VALUES ('sealed_word', ?) "
                                      "ON CONFLICT (key) DO NOTHING");
    db_bind_text(put, 1, sealed);
    db_run(db, put);
}

static bool leave_word(struct db *db, struct error *error)
{
    struct buf text = { 0 };
    seal_word(&text);
    bool good = db_transact(db, write_word, buf_text(&text), error);
    buf_free(&text);
    return good;
}

struct word {
    bool there, opens;
};

static void read_word(struct db *db, const void *context)
{
    struct word *word = *(struct word *const *)context;
    struct stmt *find = db_prepare(db, "SELECT value FROM meta WHERE key = 'sealed_word'");
    word->there = db_step(find) == DB_ROW;
    word->opens = word->there && secrets_fit(db_text(find, 0));
    db_finish(find);
}

bool secrets_match(struct db *db, struct error *error)
{
    struct word word, *out = &word;
    if (!db_transact(db, read_word, &out, error))
        return false;
    /* another node may leave its own meanwhile: what is there then counts */
    if (!word.there && (!leave_word(db, error) || !db_transact(db, read_word, &out, error)))
        return false;
    if (!word.opens)
        error_set(error, ERROR_BROKEN,
                  "%s is not the key of %s: with it the secrets in the database cannot be read; %s",
                  keyring_path(), db_name(db),
                  db_is_remote(db) ? "all nodes have the same key: take theirs"
                                   : "put both back from the same backup");
    return word.opens;
}
