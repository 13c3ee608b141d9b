/* direct.h — postbacks that went straight to a lane, and what their event's row says of them.
 *
 * Such a postback gets its row with its first outcome, or when it is out for long.  Until then it
 * is in the memory of the engine, and after a crash in its event's row alone: its id is that of the
 * event and its place behind it, its event notification stands at that place of the list.
 */
#ifndef POSTBACKD_DIRECT_H
#define POSTBACKD_DIRECT_H

#include "base/buf.h"
#include "db/db.h"
#include "model/postback.h"

enum { DIRECT_ALL = -1 }; /* in place of a node */

struct direct {
    int64_t id, notification, event, account;
};

/* Places count from 0. */
int64_t direct_id(int64_t event, size_t place);
/* Adds the next place to the text of an event's row; notification 0: it has its row. */
void direct_list(struct buf *list, size_t place, int64_t notification);
/* Reads the next place of it; *list is NULL behind the last one. */
int64_t direct_next(const char **list);

/* One that may have no row yet: its event is not below the floor.  (It may have one all the same.)
 */
bool direct_find(struct db *db, int64_t id, struct direct *out);
/* Writes its row in that state, due since its event came.  False: it has one. */
bool direct_write(struct db *db, const struct direct *direct, enum postback_state state);
/* Those from the floor on that have no row get one in that state; of one notification (0: of all),
 * and `most` at the most.  Gives how many. */
int64_t direct_write_all(struct db *db, int64_t notification, enum postback_state state,
                         int64_t most);

/* Those that a node (DIRECT_ALL: all) took, from this id on, and that have no row: they wait from
 * now on, and who sends them is told (ledger_wait()).  Gives how many. */
int64_t direct_make_wait(struct db *db, int node, int64_t floor);

/* Those of events under this id are FRESH rows then, if they had none. */
void direct_write_before(struct db *db, int64_t event);

/* Tells of each that has no row; nothing is written. */
void direct_without_rows(struct db *db, void (*tell)(void *context, const struct direct *direct),
                         void *context);

/* ---- floors: one for each node, of the events that it took ---- */

/* Every direct postback of an event of this node below this id has its row, and no FRESH row that
 * it made is below it: there recovery begins to look.  INT64_MAX: it has nothing out.  (Of a server
 * that is alone it is one for all ids, and 0 when none was ever written.) */
int64_t direct_floor_of(struct db *db, int node);
void direct_set_floor(struct db *db, int64_t id); /* its own (db_node()) */
/* It has nothing out any more.  Gives what its floor was; INT64_MAX: none.  DIRECT_ALL: the one of
 * a server that was alone with this database when it was another one (an import). */
int64_t direct_end_floor(struct db *db, int node);
int64_t direct_floor(struct db *db); /* the lowest of all nodes */

#endif
