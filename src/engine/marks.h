/* marks.h — since when an account's postbacks have not changed: for those who look on.
 *
 * A node's mark is a number that rises with every change there.  Of each account that it knows of
 * it keeps the mark of its last change on each node; whoever looks on has the marks of all nodes up
 * to which it has been told (struct marks_seen), so any node can say whether there was a change
 * since, whichever node has told it last.  What other nodes have changed comes once a second
 * (CHANGE_TOUCHED, engine/touched.h).
 *
 * A node that is alone keeps marks of accounts that somebody looks at only, so that a change costs
 * an addition and a comparison while nobody looks.  On the loop thread, in memory: marks begin with
 * the time, so that of another start whatever is new is told.
 */
#ifndef POSTBACKD_MARKS_H
#define POSTBACKD_MARKS_H

#include "base/buf.h"
#include "base/map.h"
#include "model/change.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MARKS_NODES_MOST = 64,
    MARKS_ACCOUNTS_MOST =
        100000, /* past it all are forgotten: each has changed, for who looks on */
};

struct marks_of_node {
    int from;      /* as of struct change; 0: this node while it is alone */
    int64_t known; /* its last mark that is known here */
    int64_t all;   /* up to there any account may have changed */
};

struct mark;
struct marks {
    struct marks_of_node nodes[MARKS_NODES_MOST]; /* the first one is this node */
    size_t node_count;
    bool shared;
    struct map accounts; /* of struct mark */
    struct mark *latest; /* noted; NULL: none */
    int64_t told;        /* the mark up to which other nodes have been told */
    size_t touched;      /* accounts that have changed since */
};

struct marks_seen { /* by whoever looks on: of each node the mark up to which it was told */
    struct {
        int from;
        int64_t mark;
    } of[MARKS_NODES_MOST];
    size_t count;
};

/* from: 1 + the number of this node where the database is shared; 0: it is alone. */
void marks_init(struct marks *marks, int from, int64_t due_now_ms);
void marks_free(struct marks *marks);
/* What has changed so far may have been any account's: for here, and for what is told next. */
void marks_forget(struct marks *marks);

/* Whether an account (0: any) has changed since.  From now on its mark is kept, until nobody has
 * asked, nor has it changed, for ten minutes. */
bool marks_changed(struct marks *marks, int64_t account, const struct marks_seen *seen,
                   int64_t steady_ms);
/* All that is known now has been seen, besides what `seen` says already. */
void marks_see(const struct marks *marks, struct marks_seen *seen);

/* As text; false: it is none, and nothing was seen. */
void marks_seen_write(struct buf *out, const struct marks_seen *seen);
bool marks_seen_read(struct marks_seen *seen, const char *text);

void marks_note_account(struct marks *marks, int64_t account);

static inline void marks_note(struct marks *marks, int64_t account)
{
    marks->nodes[0].known++;
    if (marks->accounts.count > 0 || marks->shared)
        marks_note_account(marks, account);
}

/* What other nodes have told. */
void marks_heard(struct marks *marks, const struct change *change);
/* What they are to be told of this one, and from now on it counts as told: the caller frees it.
 * 0: nothing.  `idle`: also when nothing has changed. */
size_t marks_tell(struct marks *marks, bool idle, struct change **out);

#endif
