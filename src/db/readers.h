/* readers.h — the threads that read, each on a connection of its own.
 *
 * Three roads, so that no one of them waits for another: what the engine asks for, what calls ask
 * for, and look-ups (who calls: a few rows by a key).  On each, accounts take turns (read_turns.h).
 */
#ifndef POSTBACKD_READERS_H
#define POSTBACKD_READERS_H

#include "db/batch.h"

enum read_road { READ_ENGINE, READ_CALLS, READ_LOOK_UPS, READ_ROADS };

enum {
    READS_AT_ONCE = 1,        /* of an account on its road: one of the two readers for calls */
    READS_ACCOUNT_MOST = 128, /* reads of calls that wait, of an account: past it 429 */
    READS_MOST = 1024,        /* … of all accounts: past it 503 */
};

struct readers;
struct readers *readers_start(struct db_source *source, struct id_source *ids,
                              struct batch_sink sink, struct error *error);
/* False with job->error: too many wait. */
bool readers_give(struct readers *readers, enum read_road road, struct job *job);
void readers_stop(struct readers *readers); /* runs what is left */

#endif
