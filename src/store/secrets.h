/* secrets.h — sealing what must not be readable in the database file: custom headers, signing
 * secrets (libsodium secretbox under a key in a file, 0600, made at the first start). */
#ifndef POSTBACKD_SECRETS_H
#define POSTBACKD_SECRETS_H

#include "base/buf.h"
#include "base/error.h"
#include "db/db.h"

/* Reads the key from that file, or makes it when there is neither one nor a database yet.  An
 * unreadable, short or world-readable file is refused with its path. */
bool secrets_open(const char *path, bool may_make, struct error *error);
/* Whether the key is this database's: a word that was sealed at the first start must open.  Outside
 * of a transaction.  False with *error, which names both. */
bool secrets_match(struct db *db, struct error *error);
/* Whether the key opens that word, as the database holds it. */
bool secrets_fit(const char *sealed_word);
void secrets_seal(struct buf *out, const void *plain, size_t len);
bool secrets_unseal(struct buf *out, const void *sealed, size_t len);
void secrets_close(void); /* wipes the key */

#endif
