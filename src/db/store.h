/* store.h — the store: what is on disk, and the threads that run its blocking calls.
 *
 * Work comes as jobs.  A job's run() is called on a store thread with a db and calls the functions
 * of the noun files (accounts.h, inquiries.h, postbacks.h, …); then done() is called on the loop
 * thread.  Nothing else is shared between the threads: what a job points to is the store's from
 * store_write() or store_read() until done().
 *
 * Writes are committed in groups: while one transaction commits the next batch gathers, and
 * done() comes only after the commit is on disk.  The writes of one account, and those without one,
 * are run, and their done() called, in the order in which they were given.  Reads run on threads of
 * their own, on a snapshot that holds every write whose done() had been called when the read was
 * given.  An account's reads of calls are run one at a time, in turn with those of others.
 */
#ifndef POSTBACKD_STORE_H
#define POSTBACKD_STORE_H

#include "base/error.h"
#include "base/list.h"
#include "db/db.h"

#include <stdbool.h>
#include <uv.h>

struct change;
struct store;
struct job;

struct job { /* at the head of the caller's own struct; zeroed, then the functions set */
    /* On a store thread.  False undoes what this job wrote and what it made beside (tx.h), with
     * job->error set.
     *
     * A write's comes again when its transaction has to be run again, of which nothing is left
     * then.  So it changes nothing of what it was given, and sets what it finds, never adds to it.
     */
    bool (*run)(struct job *job, struct db *db);
    /* On the loop thread.  ok: run() gave true and it is on disk.  Otherwise job->error says why;
     * ERROR_UNAVAILABLE when the commit failed.  Frees the job. */
    void (*done)(struct job *job, bool ok);
    /* Of a read, or NULL: whether somebody still waits for it.  On the reader's thread, before
     * run() and now and then while its statements run.  If not, done() comes with ok false. */
    bool (*wanted)(const struct job *job);
    int64_t account; /* for whom it is, and who takes turns with others (line.h, read_turns.h);
                      * 0: the engine, < 0: of nobody's account, or one whose id is not known */
    bool admitted;   /* it asks the quotas of those it publishes events for by itself (quotas.h) */
    bool sure; /* run() gives false before it writes or never, and breaks no constraint: it needs no
                * savepoint (the hot path).  If it does all the same, all is run again with one. */
    struct error error;

    /* the store's own */
    bool ok;
    bool refused;     /* by a quota: all of it is undone */
    int64_t given_us; /* steady clock, when it was given: postback.accepted_us of its postbacks */
    struct job *next;
};

struct store_config {
    const char *directory; /* DATA: holds postbackd.db, lock, secret.key; made when absent, 0700 */
    const char *uri;       /* of a database on PostgreSQL; NULL: it is in the directory */
    const char *password_file; /* with the password for it, or NULL */
    const char *key_file;      /* the key that seals; NULL: DATA/secret.key */
    int node;                  /* of ids, 0 … 1023; where the database is shared, drawn from it */
    const char *name;          /* of this process among those that share it; NULL: the machine's */
    uv_loop_t *loop;           /* where done() is called */
    bool trust_clock;          /* it is right, however far ahead of the newest id it is */
    const struct db_nouns *nouns; /* who stands on it; outlives it */
    const void *settings;         /* theirs, for the time of store_open() */
};

/* Locks the directory, opens or makes the database, brings its schema up to date, starts the
 * threads.  NULL with *error set: the directory is locked by another server, the file is foreign,
 * damaged, or of a later version, the key file is unreadable, … */
struct store *store_open(const struct store_config *config, struct error *error);
/* Every job given is run, committed and done() before it returns (it turns the loop itself). */
void store_close(struct store *store);

void store_write(struct store *store, struct job *job);
/* A read whose turn it is not, as too many wait, is done() with ERROR_TOO_MANY (of its account) or
 * ERROR_UNAVAILABLE. */
void store_read(struct store *store, struct job *job);
/* A read of a few rows by a key, to know who calls: ahead of all other reads. */
void store_look_up(struct store *store, struct job *job);
/* A small write by itself, that does not wait behind the others: on a thread and a connection of
 * its own where the database is shared, and not in order with store_write()'s.  It has no struct tx
 * (tx.h): it may note nothing and hand nothing on.  Where the database is not shared it is a write
 * as any other. */
void store_aside(struct store *store, struct job *job);
/* From now on no write is run but by store_run_now(): others are done() with ERROR_UNAVAILABLE, and
 * what was given before waits for no database that is away. */
void store_seal(struct store *store);
/* Who this process is among those that share the database; NULL: it is alone. */
const struct db_guard *store_guard(const struct store *store);
/* When, by the steady clock, it asked to be one of them, ms. */
int64_t store_joined_ms(const struct store *store);
size_t store_writes_waiting(const struct store *store); /* given and not yet done: for admission */
size_t store_reads_waiting(const struct store *store);

/* Called on the loop thread after each commit, before the jobs' done(), with all that they handed
 * on (tx.h), in order; the callee owns it.  The nouns say what it is (store/nouns.h). */
void store_on_fresh(struct store *store, void (*fresh)(void *context, struct list *made),
                    void *context);
/* From now on called on the loop thread after each commit, behind what was handed on and before
 * the jobs' done(), for each thing that was changed, in order (model/change.h).  Listeners hear in
 * the order in which they came, STORE_LISTENERS_MOST at the most. */
enum { STORE_LISTENERS_MOST = 4 };
void store_listen(struct store *store, void (*hear)(void *context, const struct change *change),
                  void *context);
void store_unlisten(struct store *store, const void *context);
/* Other nodes that share the database have committed something: the writer hears it next.  It looks
 * each second by itself.  From any thread, while the store is open. */
void store_poke(struct store *store);
/* Called on the loop thread when the store stops and starts taking writes (disk full, …). */
void store_on_health(struct store *store, void (*health)(void *context, bool writable),
                     void *context);

/* Called on the loop thread when another process has taken this one's place in a database that is
 * shared: nothing that this one writes is taken any more.  May come again. */
void store_on_fence(struct store *store, void (*fenced)(void *context), void *context);

/* Events that have fanned out to a part of their notifications (events.h) go on to the others, or
 * not, from the next write on.  At first they do not: the engine is not there yet, to which their
 * postbacks are handed; and it stops before the store. */
void store_fan_out(struct store *store, bool on);

/* An id that no row has or will have. */
int64_t store_new_id(struct store *store);

/* What the start found of the write-ahead log damaged and cut off, in words; NULL: nothing. */
const char *store_lost(const struct store *store);

/* Whether the last write went through (the news of store_on_health()). */
bool store_writable(const struct store *store);

/* Runs a job's function at once on the calling thread, in a transaction of its own: for start-up,
 * before the first store_write(), and for tests.  What it hands on goes to store_on_fresh()'s
 * callback at once (freed when there is none yet); done() is not called. */
bool store_run_now(struct store *store, struct job *job);

#endif
