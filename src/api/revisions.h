/* revisions.h — two who change one thing: the second one's save is refused, and told what changed.
 *
 * What has a revision shows it, in `Revision` and as its ETag.  A change that names the revision it
 * rests on (If-Match, RFC 9110 §13.1.1) is answered 409 once what is shown differs from that
 * revision: with both versions of each field, so that a person can choose.  The RFC's 412 is for
 * what is no revision at all.  A change without If-Match is made as it always was.
 */
#ifndef POSTBACKD_API_REVISIONS_H
#define POSTBACKD_API_REVISIONS_H

#include "server/call.h"

enum { REVISION_ANY = 0 };

/* The revision of the call's If-Match; REVISION_ANY: none given, or "*".  False: answered (412). */
bool revision_read(struct call *call, int64_t *revision);
/* The header ETag, of an answer that shows this revision. */
void revision_tag(struct call *call, int64_t revision);
/* NULL: nothing that is shown changed from `before` to `now` (before NULL: not known any more,
 * which is a conflict).  Otherwise the body of a 409: `Revision` (the one in force) and `Changed`,
 * for each field of which `yours` is not as `now`: Before, Yours, Theirs. */
json_t *revision_conflict(const json_t *before, const json_t *yours, const json_t *now,
                          int64_t revision);

#endif
