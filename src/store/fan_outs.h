/* fan_outs.h — events whose postbacks are not all written yet: rows, and for whom there are any.
 *
 * While an account has one, its later events become such rows too (events.c), so that the order of
 * events is the order of every notification's postbacks.  Belongs to the writer's connection.
 */
#ifndef POSTBACKD_FAN_OUTS_H
#define POSTBACKD_FAN_OUTS_H

#include "db/nouns.h"

struct fan_out {
    int64_t event, account;
    int64_t after, last; /* notifications: from behind the one up to the other, by id */
    int64_t left_out;    /* a notification that does not get it; 0: none */
    int64_t read_after;  /* `after` as it was read */
};

void fan_out_add(struct db *db, const struct fan_out *fan_out);
bool fan_out_oldest(struct db *db, int64_t account, struct fan_out *out); /* false: none */
/* To its `after`, and its end; run again when another node has been quicker. */
void fan_out_move(struct db *db, const struct fan_out *fan_out);
void fan_out_end(struct db *db, const struct fan_out *fan_out);

/* How many the account has.  Looks at memory, so it costs nothing. */
size_t fan_outs_of(struct db *db, int64_t account);
void fan_outs_doubt(struct db *db); /* they are counted again */

/* ---- for the writer ---- */

int64_t *fan_outs_accounts(struct db *db, size_t *count); /* that have any; the caller frees */
/* Whether accounts came or went since those were last asked for (yes the first time). */
bool fan_outs_changed(struct db *db);
extern const struct db_memory fan_outs_memory;

#endif
