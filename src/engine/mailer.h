/* mailer.h — hands letters to the operator's mailer, `sendmail -t`, and never waits for it.
 *
 * Letters are rows (store/letters.h), written with what causes them.  The server on duty takes a
 * few at a time, one process each, and deletes those that the program took; the others are tried
 * again later, for three days.  A server that dies between the program's end and its record leaves
 * a letter that is sent once more; none is lost.
 */
#ifndef POSTBACKD_MAILER_H
#define POSTBACKD_MAILER_H

#include "engine/work.h"

struct mailer;
/* path: the program; NULL: nothing is sent. */
struct mailer *mailer_new(struct work *work, const char *path);
void mailer_wanted(struct mailer *mailer);     /* letters were written (committed) */
bool mailer_runs(const struct mailer *mailer); /* programs, or they are not recorded yet */
/* Leaves what runs to itself; its handles close in the loop's next turns. */
void mailer_free(struct mailer *mailer);

#endif
