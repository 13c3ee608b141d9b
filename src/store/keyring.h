/* keyring.h — the key that seals, and a second one while the key is being changed.
 *
 * They stand in a file, 0600: 32 bytes, or 64.  The first seals, both open.  Whoever changes the
 * key puts the next one behind the first (A B), swaps them once all who share the database have
 * both (B A), and forgets the old one once nothing is sealed by it (B): so at every moment, and
 * after every crash, the file opens all that is sealed.
 *
 * What opens and seals may be called by any thread; what changes the file, by the writer's.
 */
#ifndef POSTBACKD_KEYRING_H
#define POSTBACKD_KEYRING_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    KEYRING_KEYS = 2,
    KEYRING_HEAD = 24 + 16, /* bytes before what is sealed: nonce and tag */
    KEY_PRINT_TEXT = 17,
};

/* Reads the file, or makes it when there is neither one nor a database yet.  An unreadable, short
 * or world-readable file is refused with its path. */
bool keyring_open(const char *path, bool may_make, struct error *error);
void keyring_close(void); /* wipes the keys */
const char *keyring_path(void);

/* What a key can be told by without being known: 16 hexadecimal digits. */
struct keyring_prints {
    char seals[KEY_PRINT_TEXT];
    char other[KEY_PRINT_TEXT]; /* "": there is none */
};
void keyring_prints(struct keyring_prints *out);

/* `sealed` takes KEYRING_HEAD + len bytes. */
void keyring_seal(unsigned char *sealed, const void *plain, size_t len);
/* `plain` takes len - KEYRING_HEAD bytes.  The place of the key that opened it: 0 (it seals), 1;
 * -1: none does. */
int keyring_unseal(unsigned char *plain, const unsigned char *sealed, size_t len);

/* ---- a change ---- */

bool keyring_changed(void); /* somebody else has written the file; by any thread */
/* Takes what stands in the file now, if it has changed and has a key in common with what is known.
 */
bool keyring_reread(struct error *error);
bool keyring_add(struct error *error);    /* a new key; there is only one as yet */
bool keyring_swap(struct error *error);   /* the other one seals from now on */
bool keyring_forget(struct error *error); /* the other one goes */

#endif
