/* mailer.h — hands letters to the operator's mailer, `sendmail -t`, and never waits for it.
 *
 * One process a letter, a few at a time; the rest stands in a bounded queue.  What was queued when
 * the program ends is not sent: the notices on disk say the same.
 */
#ifndef POSTBACKD_MAILER_H
#define POSTBACKD_MAILER_H

#include "model/mail.h"

#include <uv.h>

enum { MAILER_QUEUE_MOST = 20000 }; /* letters; further ones are dropped and logged */

struct mailer;
/* path: the program; NULL: no mail is sent, letters are only freed. */
struct mailer *mailer_new(uv_loop_t *loop, const char *path);
void mailer_send(struct mailer *mailer, struct list *letters); /* takes them all */
/* Ends what runs; its handles close in the loop's next turns. */
void mailer_free(struct mailer *mailer);

#endif
