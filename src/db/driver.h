/* driver.h — what a database engine has to do to carry the store: one const table of functions.
 *
 * db.c keeps statements, errors that stick, the nesting of transactions and parts, and calls the
 * driver only while all is well: after the first error of a transaction nothing but finish(),
 * undo(), undo_part() and close() reaches it.  All members are there in every driver; none is NULL.
 * test/unit/db_conformance_test.c is this contract as a program.
 *
 * SQL comes in one text for all engines.  Parameters stand in it as `?`, counted from the left, or
 * as `?1`, `?2`, …; a text has one style or the other.  Integers are 64 bits.  A text is UTF-8
 * without a NUL; texts are ordered by code point, and NULL as the statement says (NULLS FIRST).
 *
 * Errors.  A driver reports one by db_fail() and returns; what it returns then does not matter.  It
 * may report late, when that spares a round trip: at the latest before keep_part(), commit() or
 * the first step() that gives a row returns.  Only the first report counts.  What only a wrong
 * program can cause (a syntax error, a parameter that is not there) ends it by bug().
 *
 * A connection, with its statements, is used by one thread at a time; a source by several, but for
 * open() and close().
 */
#ifndef POSTBACKD_DRIVER_H
#define POSTBACKD_DRIVER_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "db/db.h"

struct check;
struct disk_figures;

enum { DB_FAILURE_TEXT = 300 };

/* A database, as one process has hold of it.  At the head of the driver's own struct. */
struct db_source {
    const struct db_driver *driver;
    const char *name; /* for people: a path, or an address without its password */
    bool remote;      /* on a server of its own, where it is mended: see db_is_remote() */
    struct buf lost;  /* what the start found damaged and left behind, in words */
};

/* A statement, prepared by the driver, at the head of the driver's own struct. */
struct stmt {
    const struct db_driver *driver; /* NULL: the dead one */
    struct db *db;
    const char *sql;
    bool once;      /* finalized by db_finish() */
    bool busy;      /* between db_prepare() and db_finish() */
    struct list in; /* of db->once, while it is one of these */
};

/* A connection, at the head of the driver's own struct.  But for what is said, db.c's. */
struct db {
    const struct db_driver *driver;
    struct db_source *source;
    enum db_mode mode;
    struct id_source *ids;
    struct tx *tx; /* see db_set_tx() */
    void (*destroy_tx)(struct tx *);
    struct map statements; /* the text's address → struct stmt */
    struct list once;      /* struct stmt.in: those not kept, and not finished */
    struct stmt dead;
    int busy; /* statements not finished */
    int64_t now_ms, due_now_ms;
    struct db_guard guard;
    bool guarded;
    enum db_failure failure;
    char failure_text[DB_FAILURE_TEXT];
    bool (*watch)(void *context); /* see db_watch(); the driver asks it; NULL: nobody watches */
    void *watch_context;
};

struct db_driver {
    const char *name; /* "sqlite" */

    /* ---- sources ---- */

    /* Takes hold of the database: makes sure that no other process does what may only be done once,
     * and looks at nothing yet.  *fresh: nothing has ever been written there.  NULL with *error. */
    struct db_source *(*source_open)(const struct db_where *where, bool *fresh,
                                     struct error *error);
    void (*source_close)(struct db_source *source); /* all connections are closed */

    /* A connection: the driver's own struct, zeroed and then set up by db_init().  The writer is
     * opened first, and what a crash left behind is mended then.  NULL with *error. */
    struct db *(*open)(struct db_source *source, enum db_mode mode, struct error *error);
    void (*close)(struct db *db); /* its statements are finalized; frees it */
    /* Brings the schema up to date, on the writer and outside of a transaction, and refuses one
     * that is another program's, damaged, or of a later version.  False with *error. */
    bool (*update)(struct db *db, struct error *error);

    /* ---- statements ---- */

    /* NULL after db_fail().  keep: it will be run often.  The text lives as long as the statement
     * when it is kept; the driver sets nothing of struct stmt. */
    struct stmt *(*prepare)(struct db *db, const char *sql, bool keep);
    void (*finalize)(struct stmt *stmt);
    /* Ready to be bound and run anew, whether it came to its end or not, also after an error.
     * Nothing is bound any more: what was pointed to may be gone now. */
    void (*reset)(struct stmt *stmt);

    /* Pointers stay valid until reset(), and are not NULL. */
    void (*bind_null)(struct stmt *stmt, int at);
    void (*bind_int)(struct stmt *stmt, int at, int64_t value);
    void (*bind_text)(struct stmt *stmt, int at, const char *text, size_t len);
    void (*bind_bytes)(struct stmt *stmt, int at, const void *bytes, size_t len);

    /* The next row.  DB_DONE: there is none, and one that changes rows has changed them all. */
    enum db_row (*step)(struct stmt *stmt);
    bool (*is_null)(struct stmt *stmt, int column);
    int64_t (*int_at)(struct stmt *stmt, int column); /* 0 for NULL */
    /* NUL-terminated; NULL for NULL.  Valid until the next step() or reset(). */
    const char *(*text_at)(struct stmt *stmt, int column);
    /* Of a text too.  NULL for NULL, and may be for none (*len 0). */
    const void *(*bytes_at)(struct stmt *stmt, int column, size_t *len);

    int64_t (*changes)(
        struct db *db); /* by the last INSERT, UPDATE or DELETE that came to its end */
    /* … told in *changes, by the time await() returns at the latest: so one wait is enough for many
     * statements.  Right behind the step() that ended it. */
    void (*changes_into)(struct db *db, int64_t *changes);
    void (*await)(struct db *db);
    /* Another number than before when something may have been changed since; never goes back. */
    int64_t (*all_changes)(struct db *db);

    /* ---- transactions ---- */

    /* A reader's is one snapshot, which holds all that had been committed when it began; a writer's
     * sees its own changes.  begin() may wait until the first statement to take it.  It connects
     * anew when the connection was lost: DB_LOST, it cannot yet. */
    void (*begin)(struct db *db);
    /* A guard (db.h) is compared first, where the database can be shared, and costs no wait.
     * When it returns without an error, all is on disk and every transaction that begins later sees
     * it. */
    void (*commit)(struct db *db);
    /* After commit() has reported DB_LOST, for nobody could be asked what became of it: asks again.
     * Gives true when it is on disk as surely as if commit() had returned; else reports DB_RETRY,
     * it is undone, or DB_LOST, nobody can be asked yet.  It may take some seconds. */
    bool (*settle)(struct db *db);
    /* Ends it, undone, whatever has happened; all statements are reset.  A connection for which
     * that cannot be said ends the program, or is made anew by the driver before the next begin. */
    void (*undo)(struct db *db);
    /* A part may begin within another, which then ends first.  keep_part() reports what went wrong
     * in the part; undo_part() takes back what was done since its begin_part(), also after a
     * statement's DB_CONSTRAINT, and the transaction goes on. */
    void (*begin_part)(struct db *db);
    void (*keep_part)(struct db *db);
    void (*undo_part)(struct db *db);

    /* db->watch has been set: it is asked every millisecond or so while a statement runs, and true
     * ends that with DB_TROUBLE.  Undoing is not stopped. */
    void (*watched)(struct db *db);

    /* Where a database can be shared: see db_stop_node() and db_clock(). */
    void (*stop_node)(struct db *db, int64_t node);
    int64_t (*clock)(struct db *db);
    /* … and of a DB_ASIDE: see db_tell(), db_socket() and db_told(). */
    void (*tell)(struct db *db);
    int (*socket)(struct db *db);
    bool (*told)(struct db *db);

    /* ---- upkeep, of the writer's connection ---- */

    /* Before the first transaction of the writer's thread: whatever goes on beside it.  It ends
     * with close(). */
    bool (*upkeep_start)(struct db *db, struct error *error);
    void (*upkeep)(struct db *db);    /* between two transactions: it has to be quick */
    void (*make_room)(struct db *db); /* a commit has failed with DB_FULL */
    /* See disk_look(): on any connection. */
    void (*disk)(struct db *db, struct disk_figures *out);

    /* ---- postbackd check ---- */

    /* Looks at all that is below the rows and tells what it finds, beside a server that has hold of
     * the database.  A reader's connection, when the tables are those of this version, or NULL; it
     * takes its source along when it is closed. */
    struct db *(*check)(const struct db_where *where, struct check *check);
};

/* Sets the head of a new connection up. */
void db_init(struct db *db, struct db_source *source, enum db_mode mode);

/* A driver has waited for an answer from another machine.  Any thread. */
void db_waited(int64_t us);

/* An error of the transaction: the first one sticks.  The words name the source. */
void db_fail(struct db *db, enum db_failure failure, const char *words);

/* Those there are. */
extern const struct db_driver sqlite_driver;
extern const struct db_driver postgres_driver; /* where the build has libpq: HAVE_POSTGRES */

#endif
