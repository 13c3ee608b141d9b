/* inquiry_words.h — the words of inquiries that a search finds, inside of them and in any case.
 *
 * What is searched is kept per account, folded (base/fold.h), so that both databases find the same
 * and nobody finds by what the other side keeps to itself: of a brand's the order id, the promo
 * code, the partner's name, the resolution notes and the comments; of a partner's its own id, the
 * customer id and the notes too.
 */
#ifndef POSTBACKD_INQUIRY_WORDS_H
#define POSTBACKD_INQUIRY_WORDS_H

#include "model/inquiry.h"
#include "store/where.h"

/* A search looks into so many inquiries, the newest, and into so many bytes of each.  Beyond it
 * finds by the beginning of an order id, a reference or a customer id, as it is written. */
enum { INQUIRY_WORDS_INQUIRIES = 100000, INQUIRY_WORDS_BYTES = 8000 };

/* As the inquiry stands now, with its comments. */
void inquiry_words_write(struct db *db, const struct inquiry *inquiry);

/* "UNION ALL SELECT inquiry …" of the account's that have the text in them; `pattern` is filled,
 * and outlives the statement. */
void inquiry_words_where(struct where *where, int64_t account, const char *text,
                         struct buf *pattern);

#endif
