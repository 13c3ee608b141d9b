/* writer.h — the one thread that writes. */
#ifndef POSTBACKD_WRITER_H
#define POSTBACKD_WRITER_H

#include "db/batch.h"

struct writer;

/* Takes the connection over; NULL with *error: it does not. */
struct writer *writer_start(struct db *db, struct batch_sink sink, struct error *error);
void writer_give(struct writer *writer, struct job *job);
/* Whether it takes steps of fan-outs; not at first.  Looked at with the next job. */
void writer_fan_out(struct writer *writer, bool on);
/* It hears what other nodes have committed before it goes on.  From any thread. */
void writer_poke(struct writer *writer);
/* Runs the job on the calling thread, between two batches of the thread's own; gives its batch. */
struct batch *writer_run_now(struct writer *writer, struct job *job);
/* From now on no job waits for a connection that is lost. */
void writer_hurry(struct writer *writer);
/* Runs what is left, ends the thread and closes the connection. */
void writer_stop(struct writer *writer);

#endif
