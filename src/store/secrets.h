/* secrets.h — sealing what must not be readable in the database file: custom headers, signing
 * secrets (libsodium secretbox, under the keys of keyring.h). */
#ifndef POSTBACKD_SECRETS_H
#define POSTBACKD_SECRETS_H

#include "base/buf.h"
#include "base/error.h"
#include "db/db.h"

/* Whether the key is this database's: a word that was sealed at the first start must open.  Outside
 * of a transaction.  False with *error, which names both. */
bool secrets_match(struct db *db, struct error *error);
/* Whether the key opens that word, as the database holds it. */
bool secrets_fit(const char *sealed_word);
/* The word is sealed by the key that seals now; in a write job. */
void secrets_reseal_word(struct db *db);
void secrets_seal(struct buf *out, const void *plain, size_t len);
bool secrets_unseal(struct buf *out, const void *sealed, size_t len);
/* Sealed once more, when the key that seals is not the one that opens it (what is added to *out).
 */
enum resealed { RESEAL_NOT_NEEDED, RESEAL_DONE, RESEAL_SHUT /* no key opens it */ };
enum resealed secrets_reseal(struct buf *out, const void *sealed, size_t len);

#endif
