/* keyring.c — one ring in guarded memory, read-only once it is there; another ring takes its place.
 *
 * The rule: a new key is made only where no database is, because a database without its key has
 * lost its secrets, and a new key would hide that.  And the file is changed before the ring is, so
 * that nothing is ever sealed by what a crash would lose.
 */
#include "store/keyring.h"

#include "base/buf.h"
#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES = crypto_secretbox_KEYBYTES, NONCE_BYTES = crypto_secretbox_NONCEBYTES };
_Static_assert(KEYRING_HEAD == NONCE_BYTES + crypto_secretbox_MACBYTES, "what stands before");

struct ring {
    size_t count;
    unsigned char keys[KEYRING_KEYS][KEY_BYTES];
};

static struct ring *ring;     /* NULL: not open */
static char *ring_path;       /* of its file … */
static struct stat ring_file; /* … as it was read or written last */
static pthread_rwlock_t turn = PTHREAD_RWLOCK_INITIALIZER;

/* ---- the ring ---- */

static struct ring *ring_new(void)
{
    struct ring *made = sodium_malloc(sizeof(*made));
    if (made == NULL)
        die("out of memory for the key");
    memset(made, 0, sizeof(*made));
    return made;
}

/* It is the ring from now on, out of that file; NULL: there is none. */
static void ring_take(struct ring *taken, const struct stat *file)
{
    if (taken != NULL)
        sodium_mprotect_readonly(taken);
    pthread_rwlock_wrlock(&turn);
    struct ring *before = ring;
    ring = taken;
    ring_file = *file;
    pthread_rwlock_unlock(&turn);
    sodium_free(before); /* wipes it */
}

static bool ring_has(const struct ring *of, const unsigned char *key)
{
    for (size_t i = 0; i < of->count; i++)
        if (sodium_memcmp(of->keys[i], key, KEY_BYTES) == 0)
            return true;
    return false;
}

/* ---- its file ---- */

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

/* Linked: of nodes that begin together on one machine the first one's stays. */
static bool link_first(const char *draft, const char *path)
{
    return link(draft, path) == 0 || errno == EEXIST;
}

static bool move_over(const char *draft, const char *path)
{
    return rename(draft, path) == 0;
}

/* Written beside, then put in its place: a crash leaves the whole file or the one before. */
static bool write_file(const char *path, const struct ring *keys,
                       bool (*put)(const char *draft, const char *path), struct error *error)
{
    struct buf draft = { 0 };
    buf_fmt(&draft, "%s.new-%d", path, (int)getpid());
    unlink(buf_text(&draft));
    int file = open(buf_text(&draft), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = file != -1;
    good = good && write_all(file, keys->keys[0], keys->count * KEY_BYTES) && fsync(file) == 0;
    if (file != -1)
        good = close(file) == 0 && good;
    good = good && put(buf_text(&draft), path) && sync_folder_of(path);
    if (!good)
        error_set(error, ERROR_BROKEN, "%s cannot be written: %s", path, strerror(errno));
    unlink(buf_text(&draft));
    buf_free(&draft);
    return good;
}

static bool make_file(const char *path, struct error *error)
{
    struct ring *first = ring_new();
    first->count = 1;
    randombytes_buf(first->keys[0], KEY_BYTES);
    bool good = write_file(path, first, link_first, error);
    sodium_free(first);
    return good;
}

static bool read_keys(int file, const char *path, struct ring *out, struct stat *about,
                      struct error *error)
{
    unsigned char more;
    if (fstat(file, about) == -1) {
        error_set(error, ERROR_BROKEN, "%s cannot be read: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(about->st_mode)) {
        error_set(error, ERROR_BROKEN, "%s is not a file", path);
        return false;
    }
    if ((about->st_mode & 077) != 0) {
        error_set(error, ERROR_BROKEN,
                  "%s may be read or written by others (mode %03o): make it 0600, and give out new "
                  "signing secrets if others could have read it",
                  path, (unsigned)about->st_mode & 0777);
        return false;
    }
    size_t len = (size_t)about->st_size;
    bool whole = about->st_size == KEY_BYTES || about->st_size == KEYRING_KEYS * KEY_BYTES;
    if (!whole || read(file, out->keys[0], len) != (ssize_t)len || read(file, &more, 1) != 0) {
        error_set(error, ERROR_BROKEN, "%s is damaged: it must hold %d bytes and has %lld", path,
                  KEY_BYTES, (long long)about->st_size);
        return false;
    }
    out->count = len / KEY_BYTES;
    return true;
}

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

/* NULL with *error: it cannot be read. */
static struct ring *read_file(const char *path, struct stat *about, struct error *error)
{
    int file = open_file(path);
    if (file == -1) {
        error_set(error, ERROR_BROKEN,
                  errno == ENOENT
                      ? "%s is missing: without it the secrets in the database cannot be read; put "
                        "it back from a backup, or from where the other nodes have theirs (%s)"
                      : "%s cannot be read: %s",
                  path, strerror(errno));
        return NULL;
    }
    struct ring *read = ring_new();
    bool good = read_keys(file, path, read, about, error);
    close(file);
    if (good)
        return read;
    sodium_free(read);
    return NULL;
}

/* ---- life ---- */

bool keyring_open(const char *path, bool may_make, struct error *error)
{
    if (sodium_init() == -1)
        die("libsodium cannot start: no randomness");
    keyring_close();
    if (may_make && access(path, F_OK) == -1 && errno == ENOENT && !make_file(path, error))
        return false;
    struct stat file;
    struct ring *read = read_file(path, &file, error);
    if (read == NULL)
        return false;
    ring_path = must_copy(path);
    ring_take(read, &file);
    return true;
}

void keyring_close(void)
{
    const struct stat none = { 0 };
    ring_take(NULL, &none);
    free(ring_path);
    ring_path = NULL;
}

const char *keyring_path(void)
{
    return ring_path;
}

/* ---- sealing ---- */

static void need_ring(void)
{
    if (ring == NULL)
        bug("a secret is to be sealed or read before the key is there");
}

void keyring_seal(unsigned char *sealed, const void *plain, size_t len)
{
    randombytes_buf(sealed, NONCE_BYTES);
    pthread_rwlock_rdlock(&turn);
    need_ring();
    crypto_secretbox_easy(sealed + NONCE_BYTES, plain, len, sealed, ring->keys[0]);
    pthread_rwlock_unlock(&turn);
}

int keyring_unseal(unsigned char *plain, const unsigned char *sealed, size_t len)
{
    int found = -1;
    pthread_rwlock_rdlock(&turn);
    need_ring();
    for (size_t i = 0; found == -1 && len >= KEYRING_HEAD && i < ring->count; i++)
        if (crypto_secretbox_open_easy(plain, sealed + NONCE_BYTES, len - NONCE_BYTES, sealed,
                                       ring->keys[i]) == 0)
            found = (int)i;
    pthread_rwlock_unlock(&turn);
    return found;
}

static void print_key(char out[KEY_PRINT_TEXT], const unsigned char *key)
{
    static const unsigned char purpose[] = "postbackd: which key it is";
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof(hash), purpose, sizeof(purpose) - 1, key, KEY_BYTES);
    sodium_bin2hex(out, KEY_PRINT_TEXT, hash, KEY_PRINT_TEXT / 2);
}

void keyring_prints(struct keyring_prints *out)
{
    *out = (struct keyring_prints){ 0 };
    pthread_rwlock_rdlock(&turn);
    need_ring();
    print_key(out->seals, ring->keys[0]);
    if (ring->count > 1)
        print_key(out->other, ring->keys[1]);
    pthread_rwlock_unlock(&turn);
}

/* ---- a change ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool keyring_changed(void)
{
    struct stat now;
    if (stat(ring_path, &now) == -1)
        return true;
    pthread_rwlock_rdlock(&turn);
    bool same = same_file(&now, &ring_file);
    pthread_rwlock_unlock(&turn);
    return !same;
}

bool keyring_reread(struct error *error)
{
    struct stat file;
    if (!keyring_changed())
        return true;
    struct ring *read = read_file(ring_path, &file, error);
    if (read == NULL)
        return false;
    bool known =
        ring_has(ring, read->keys[0]) || (read->count > 1 && ring_has(ring, read->keys[1]));
    if (!known) {
        error_set(error, ERROR_BROKEN, "%s holds another key than it did: it is not taken",
                  ring_path);
        sodium_free(read);
        return false;
    }
    ring_take(read, &file);
    return true;
}

/* The file first.  Takes `next`, whatever becomes of it. */
static bool change(struct ring *next, struct error *error)
{
    if (!write_file(ring_path, next, move_over, error)) {
        sodium_free(next);
        return false;
    }
    struct stat file = { 0 };
    stat(ring_path, &file);
    ring_take(next, &file);
    return true;
}

static struct ring *ring_copy(void)
{
    struct ring *copy = ring_new();
    *copy = *ring;
    return copy;
}

bool keyring_add(struct error *error)
{
    if (ring->count > 1) {
        error_set(error, ERROR_CONFLICT, "%s has a next key already", ring_path);
        return false;
    }
    struct ring *next = ring_copy();
    randombytes_buf(next->keys[1], KEY_BYTES);
    next->count = KEYRING_KEYS;
    return change(next, error);
}

bool keyring_swap(struct error *error)
{
    struct ring *next = ring_copy();
    memcpy(next->keys[0], ring->keys[1], KEY_BYTES);
    memcpy(next->keys[1], ring->keys[0], KEY_BYTES);
    return change(next, error);
}

bool keyring_forget(struct error *error)
{
    struct ring *next = ring_copy();
    next->count = 1;
    sodium_memzero(next->keys[1], KEY_BYTES);
    return change(next, error);
}
