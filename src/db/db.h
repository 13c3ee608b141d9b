/* db.h — statements and transactions: prepare, bind, step, begin, commit.  What does it is a driver
 * (driver.h).
 *
 * Errors stick: after the first one every call of the transaction does nothing, and db_commit()
 * gives it back.  So a store function binds and steps in a row and its caller checks once.
 * A struct db belongs to one thread.
 */
#ifndef POSTBACKD_DB_H
#define POSTBACKD_DB_H

#include "base/error.h"
#include "base/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_driver;
struct db_source;
struct stmt;
struct tx;

enum db_row { DB_DONE, DB_ROW };

/* A statement ready to bind: prepared once and kept, found again by the text's address, so `sql`
 * must be a string literal (or live as long as the db).  Never NULL: on an error it is a dead
 * one that steps to DB_DONE. */
struct stmt *db_prepare(struct db *db, const char *sql);
/* For SQL put together at run time (filters): not kept.  db_finish() frees it. */
struct stmt *db_prepare_once(struct db *db, const char *sql);

/* Parameters count from 1, columns from 0.  Text and bytes are never copied: what was bound stays
 * as it is until db_finish() (or a function here that finishes) was called. */
void db_bind_int(struct stmt *stmt, int at, int64_t value);
void db_bind_opt(struct stmt *stmt, int at, int64_t value, int64_t none); /* NULL when == none */
void db_bind_text(struct stmt *stmt, int at, const char *text);           /* NULL pointer: NULL */
void db_bind_bytes(struct stmt *stmt, int at, const void *bytes,
                   size_t len); /* NULL pointer: NULL */
void db_bind_chars(struct stmt *stmt, int at, const char *text, size_t len);

enum db_row db_step(struct stmt *stmt);
int64_t db_int(struct stmt *stmt, int column);
int64_t db_opt(struct stmt *stmt, int column, int64_t none); /* none for NULL */
const char *db_text(struct stmt *stmt, int column); /* never NULL; valid until the next step */
char *db_copy(struct stmt *stmt, int column);       /* the caller frees */
const void *db_bytes(struct stmt *stmt, int column, size_t *len);
void db_finish(struct stmt *stmt); /* back to the cache, ready to bind again */

void db_run(struct db *db, struct stmt *stmt); /* step to the end and finish */
/* For a query of one number: the first row's first column, `none` without a row; and finish. */
int64_t db_number(struct stmt *stmt, int64_t none);
/* Runs an INSERT … RETURNING id and finishes it: the new row's id; 0 when nothing was inserted (ON
 * CONFLICT DO NOTHING, or an error). */
int64_t db_insert(struct stmt *stmt);
/* db_run(), and what db_changes() would say then, which is known once db_await() has returned. Many
 * may be run before that: a database that is far away is waited for once. */
void db_run_counted(struct db *db, struct stmt *stmt, int64_t *changes);
void db_await(struct db *db);
int64_t db_changes(struct db *db);     /* rows changed by the last INSERT, UPDATE or DELETE run */
int64_t db_all_changes(struct db *db); /* … by all so far */

bool db_failed(const struct db *db);
bool db_is_remote(const struct db *db);   /* no failure of it ends the program: others mend it */
const char *db_name(const struct db *db); /* of its source, for people */
bool db_writes(const struct db *db);      /* the writer's, or one beside it; not a reader's */
int64_t db_new_id(struct db *db);         /* for the hot tables, in order of time */
int64_t db_new_ids(struct db *db, int count); /* the first of so many that follow each other */
int64_t db_newest_id(const struct db *db);    /* the last of them */
int db_node(const struct db *db);             /* of new ids: which server this is */
void db_seen_id(struct db *db, int64_t id);   /* the next ones are above it */
int64_t db_now(const struct db *db);          /* ms, wall clock; one value for the whole job */
int64_t db_due_now(const struct db *db);      /* the same by the due clock (base/clock.h) */
/* The time of the machine that has the database, ms since 1970, asked for now: a wait.  *ahead: of
 * this machine's own, ms, by the middle of that wait. */
int64_t db_clock(struct db *db, int64_t *ahead);

/* What this job has looked for and not found was added meanwhile, as a constraint of its INSERT …
 * ON CONFLICT tells: the transaction is undone and run again, and finds it (DB_RETRY). */
void db_run_again(struct db *db, const char *what);

/* ---- for the store's own threads ---- */

/* Where a database is. */
struct db_where {
    const char *directory;     /* DATA: this process's own, and SQLite's database */
    const char *uri;           /* PostgreSQL's, as libpq reads it; NULL: the database is SQLite's */
    const char *password_file; /* its first line is the password for it; NULL: as libpq finds it */
    int patience_ms;           /* with an answer of PostgreSQL's; 0: 10 s */
};
/* The driver for it (driver.h).  NULL: this program was built without. */
const struct db_driver *db_driver_for(const struct db_where *where);

/* A database that this process has hold of; connections come from it.  db_source_open() may be
 * refused as another process has it.  *fresh: nothing has ever been written there. */
struct db_source *db_source_open(const struct db_where *where, bool *fresh, struct error *error);
void db_source_close(struct db_source *source);             /* its connections are closed */
const char *db_source_name(const struct db_source *source); /* for people */
/* What the start found damaged and left behind, in words; NULL: nothing. */
const char *db_source_lost(const struct db_source *source);

enum db_mode {
    DB_WRITER, /* one at a time, and the first one opened */
    DB_READER, /* cannot write */
    DB_ASIDE,  /* writes beside the writer, where db_is_remote() */
    DB_HELPER, /* a driver's own */
};
/* NULL with *error naming source and reason.  `ids` is the store's one source and outlives it. */
struct db *db_open(struct db_source *source, enum db_mode mode, struct id_source *ids,
                   struct error *error);
void db_close(struct db *db); /* NULL: nothing */
/* Brings the schema up to date, on the writer.  False with *error. */
bool db_update(struct db *db, struct error *error);

/* Asks stop() every millisecond or so while statements run: true ends them with DB_TROUBLE. */
void db_watch(struct db *db, bool (*stop)(void *context), void *context);

/* What the engine needs done beside the writer's transactions: begun once (false with *error), then
 * called between two of them, and when one found no room. */
bool db_upkeep_start(struct db *db, struct error *error);
void db_upkeep(struct db *db);
void db_make_room(struct db *db);

/* Its transaction (tx.h), freed with it by `destroy`; NULL: it has none. */
void db_set_tx(struct db *db, struct tx *tx, void (*destroy)(struct tx *));
struct tx *db_tx(const struct db *db);

/* A transaction.  On the first error it is broken: db_commit() then undoes it and gives false, and
 * db_failure() says why until the next db_begin(). */
void db_begin(struct db *db, int64_t now_ms, int64_t due_now_ms);
bool db_commit(struct db *db);
void db_undo(struct db *db); /* ends it, undone */

/* Who this process is among those that share the database.  A node has a number, the node bits of
 * its ids, and an epoch, which whoever takes its place raises.
 *
 * Set on the writer's connection, it is compared with what the database has just before each commit
 * of something written, under a lock that whoever takes its place has to wait for.  Then a commit
 * fails with DB_FENCED when the epoch is another one, and with DB_RETRY when the version of the
 * news is: others have changed what this transaction may have relied on. */
struct db_guard {
    int64_t node, epoch;
    int64_t version; /* of the news, as this transaction knows it; DB_NO_VERSION: it needs none */
};
enum { DB_NO_VERSION = -1 };
void db_set_guard(struct db *db, const struct db_guard *guard);
struct db_guard *db_guard(struct db *db); /* NULL: it is alone.  Changed at will between commits */
/* Within a transaction: from here to its end nobody's of that number commits, and what they have
 * committed is seen by the statements that follow. */
void db_stop_node(struct db *db, int64_t node);

/* On a DB_ASIDE.  Within a transaction: all others that share the database are told with its commit
 * that there is news (news.h).  Nothing is promised: it may be lost, or come twice. */
void db_tell(struct db *db);
int db_socket(struct db *db); /* readable when something has come; -1: there is none just now */
/* Between two transactions: whether another one has told so since it was asked last. */
bool db_told(struct db *db);

/* One by itself, at a start: what `writes` does, again where others were in the way.  False with
 * *error. */
bool db_transact(struct db *db, void (*writes)(struct db *db, const void *with), const void *with,
                 struct error *error);

/* After a commit that failed with DB_LOST, and before the next db_begin(): asks what became of it.
 * True: it is on disk.  False: db_failure() says DB_RETRY: it is undone; DB_LOST: nobody can be
 * asked yet. */
bool db_settle(struct db *db);

/* A job's part of a transaction.  db_undo_part() gives false when the transaction itself is broken;
 * a constraint that failed is undone with the part and forgotten. */
void db_begin_part(struct db *db);
void db_keep_part(struct db *db);
bool db_undo_part(struct db *db);

enum db_failure {
    DB_FINE,
    DB_CONSTRAINT, /* a statement's own: the transaction goes on without its part */
    DB_FULL,       /* no room: a disk, a quota, a limit of file size */
    DB_TROUBLE,    /* locked, unreadable, …: may pass */
    DB_RETRY,      /* others were in the way (a deadlock, a serialisation), or the connection broke
                    * and is back: surely undone, and run again it may go */
    DB_LOST,   /* the connection broke, which the next db_begin() makes anew.  Of a commit: nobody
                * knows what became of it (db_settle()) */
    DB_FENCED, /* another process has taken this one's place: nothing that it writes is taken */
    DB_FATAL,  /* damaged, read-only, or not known to be on disk: nothing may go on */
};
enum db_failure db_failure(const struct db *db);
/* How often all connections have waited for an answer from another machine, and how long, since it
 * was asked last.  Any thread. */
void db_take_waits(int64_t *times, int64_t *us);

const char *db_failure_text(const struct db *db); /* the engine's words and the source */

#endif
