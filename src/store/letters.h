/* letters.h — mail that is to be handed to the operator's mailer: an outbox.
 *
 * A letter is written in the transaction that causes it, so that none is lost, and none tells of
 * what was undone.  Who hands letters over takes them first: from then on nobody else gets them for
 * a while, in which the mailer takes or refuses them.  Only if the program ends between the
 * mailer's taking a letter and its being recorded does the letter come again.
 *
 * All of it is done in write jobs.
 */
#ifndef POSTBACKD_LETTERS_H
#define POSTBACKD_LETTERS_H

#include "base/list.h"
#include "db/db.h"

enum {
    LETTERS_MOST = 20000,                     /* that wait; the oldest of more are dropped */
    LETTER_TAKEN_MS = 120000,                 /* so long nobody else gets one that was taken */
    LETTER_AGAIN_MS = 60000,                  /* after the first refusal; then twice as long, … */
    LETTER_AGAIN_MOST_MS = 3600000,           /* … up to this */
    LETTER_AGE_MOST_MS = 3 * 24 * 3600 * 1000 /* then it is given up */
};

/* Whether this server has a mailer: without one no letters are written. */
void letters_set(struct db *db, bool on); /* of the writer's connection */

bool letters_are_sent(struct db *db); /* in a write job */

/* Writes one, unless there is no address.  Notes CHANGE_LETTER. */
void letter_add(struct db *db, const char *to, const char *subject, const char *text);

/* Takes at most so many that are due (struct letter, mail.h), the oldest first.  *next_due: when
 * the next one is due after that, due clock; INT64_MAX: none waits. */
size_t letters_take(struct db *db, size_t most, struct list *out, int64_t *next_due);
/* The mailer took it: the letter is gone. */
void letter_taken(struct db *db, int64_t id);
/* The mailer refused it, the `tries`th time: it is due again later.  False: it is given up. */
bool letter_refused(struct db *db, int64_t id, int tries);
/* Drops the oldest of more than LETTERS_MOST.  How many. */
size_t letters_drop(struct db *db);

extern const struct db_memory letters_memory;

#endif
