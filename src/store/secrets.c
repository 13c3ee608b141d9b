/* secrets.c — sealing with one key, kept in a file and not in the database.
 *
 * A sealed secret is a version byte, a random nonce and the secretbox.  The key lies in guarded
 * memory that is made read-only once it is there; the store's threads only read it.
 *
 * The rule: a new key is made only where no database is, because a database without its key has
 * lost its secrets, and a new key would hide that.  For the same reason a key that is another
 * database's is refused at the start: a sealed word in the database tells.
 */
#include "store/secrets.h"

#include "base/fail.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES = crypto_secretbox_KEYBYTES, NONCE_BYTES = crypto_secretbox_NONCEBYTES };
enum { SEAL_VERSION = 1, SEAL_MAX = 1024 * 1024 };

static unsigned char *key; /* NULL: not open */
static char *key_path;     /* of the file that it came from */

static bool write_all(int file, const unsigned char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t count = write(file, bytes, len);
        if (count == -1 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes += count;
        len -= (size_t)count;
    }
    return true;
}

static bool sync_folder_of(const char *path)
{
    struct buf name = { 0 };
    const char *last = strrchr(path, '/');
    buf_add(&name, path, last != NULL ? (size_t)(last - path) + 1 : 0);
    int folder = open(last != NULL ? buf_text(&name) : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buf_free(&name);
    if (folder == -1)
        return false;
    bool good = fsync(folder) == 0;
    close(folder);
    return good;
}

/* Written beside, then linked: a crash leaves the whole key or none, and of nodes that begin
 * together on one machine the first one's stays. */
static bool make_file(const char *path, struct error *error)
{
    struct buf draft = { 0 };
    buf_fmt(&draft, "%s.new-%d", path, (int)getpid());
    unlink(buf_text(&draft));
    int file = open(buf_text(&draft), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = file != -1;
    randombytes_buf(key, KEY_BYTES);
    good = good && write_all(file, key, KEY_BYTES) && fsync(file) == 0;
    if (file != -1)
        good = close(file) == 0 && good;
    good = good && (link(buf_text(&draft), path) == 0 || errno == EEXIST) && sync_folder_of(path);
    if (!good)
        error_set(error, ERROR_BROKEN, "%s cannot be made: %s", path, strerror(errno));
    unlink(buf_text(&draft));
    buf_free(&draft);
    return good;
}

static bool read_key(int file, const char *path, struct error *error)
{
    struct stat about;
    unsigned char more;

    if (fstat(file, &about) == -1) {
        error_set(error, ERROR_BROKEN, "%s cannot be read: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(about.st_mode)) {
        error_set(error, ERROR_BROKEN, "%s is not a file", path);
        return false;
    }
    if ((about.st_mode & 077) != 0) {
        error_set(error, ERROR_BROKEN,
                  "%s may be read or written by others (mode %03o): make it 0600, and give out new "
                  "signing secrets if others could have read it",
                  path, (unsigned)about.st_mode & 0777);
        return false;
    }
    if (about.st_size != KEY_BYTES || read(file, key, KEY_BYTES) != KEY_BYTES ||
        read(file, &more, 1) != 0) {
        error_set(error, ERROR_BROKEN, "%s is damaged: it must hold %d bytes and has %lld", path,
                  KEY_BYTES, (long long)about.st_size);
        return false;
    }
    return true;
}

static bool read_or_make(const char *path, bool may_make, struct error *error)
{
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file == -1 && errno == ENOENT && may_make) {
        if (!make_file(path, error))
            return false;
        file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    }
    if (file != -1) {
        bool good = read_key(file, path, error);
        close(file);
        return good;
    }
    if (errno == ENOENT)
        error_set(error, ERROR_BROKEN,
                  "%s is missing: without it the secrets in the database cannot be read; put it "
                  "back from a backup, or from where the other nodes have theirs",
                  path);
    else
        error_set(error, ERROR_BROKEN, "%s cannot be read: %s", path, strerror(errno));
    return false;
}

bool secrets_open(const char *path, bool may_make, struct error *error)
{
    if (sodium_init() == -1)
        die("libsodium cannot start: no randomness");
    secrets_close();
    key = sodium_malloc(KEY_BYTES);
    if (key == NULL)
        die("out of memory for the key");
    key_path = must_copy(path);
    bool good = read_or_make(path, may_make, error);
    if (good)
        sodium_mprotect_readonly(key);
    else
        secrets_close();
    return good;
}

void secrets_seal(struct buf *out, const void *plain, size_t len)
{
    if (key == NULL)
        bug("a secret is to be sealed before the key is there");
    if (len > SEAL_MAX)
        bug("a secret of %zu bytes", len);
    size_t size = 1 + NONCE_BYTES + crypto_secretbox_MACBYTES + len;
    unsigned char *room = (unsigned char *)buf_room(out, size);
    if (room == NULL)
        return;
    room[0] = SEAL_VERSION;
    randombytes_buf(room + 1, NONCE_BYTES);
    crypto_secretbox_easy(room + 1 + NONCE_BYTES, plain, len, room + 1, key);
    buf_grew(out, size);
}

bool secrets_unseal(struct buf *out, const void *sealed, size_t len)
{
    const unsigned char *bytes = sealed;
    const size_t head = 1 + NONCE_BYTES, least = head + crypto_secretbox_MACBYTES;

    if (key == NULL)
        bug("a secret is to be read before the key is there");
    if (len < least || len > least + SEAL_MAX || bytes[0] != SEAL_VERSION)
        return false;
    unsigned char *room = (unsigned char *)buf_room(out, len - least + 1);
    if (room == NULL ||
        crypto_secretbox_open_easy(room, bytes + head, len - head, bytes + 1, key) == -1)
        return false;
    buf_grew(out, len - least);
    return true;
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

static void write_word(struct db *db, const void *sealed)
{
    struct stmt *put = db_prepare(db, "INSERT INTO meta (key, value) VALUES ('sealed_word', ?) "
                                      "ON CONFLICT (key) DO NOTHING");
    db_bind_text(put, 1, sealed);
    db_run(db, put);
}

static bool leave_word(struct db *db, struct error *error)
{
    struct buf sealed = { 0 }, text = { 0 };
    secrets_seal(&sealed, known_word, strlen(known_word));
    text_base64(&text, sealed.data, sealed.len, false);
    bool good = db_transact(db, write_word, buf_text(&text), error);
    buf_free(&sealed);
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
                  key_path, db_name(db),
                  db_is_remote(db) ? "all nodes have the same key: take theirs"
                                   : "put both back from the same backup");
    return word.opens;
}

void secrets_close(void)
{
    sodium_free(key); /* wipes it */
    key = NULL;
    free(key_path);
    key_path = NULL;
}
