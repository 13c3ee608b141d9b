/* intake.h — the events of one POST /Events, checked and on their way to the disk.
 *
 * Everything that the request holds is read into flat arrays: the events, the accounts that they go
 * to, and one buffer with their canonical data.  What is wrong is named with its place
 * ("Events[3].Data.Amount") among the job's problems, and reading goes on.
 */
#ifndef POSTBACKD_INTAKE_H
#define POSTBACKD_INTAKE_H

#include "api/api.h"
#include "model/event.h"

enum {
    INTAKE_EVENTS_MAX = 1000,              /* of a batch */
    INTAKE_ACCOUNTS_MAX = 100,             /* of one event */
    INTAKE_TOTAL_MAX = 10000,              /* of a batch: events, counted once for each account */
    INTAKE_BYTES_MAX = 16 * 1024 * 1024,   /* of their data, counted so too */
    INTAKE_BODY_MAX = 4 * 1024 * 1024,     /* a thousand events of 4 KiB */
    INTAKE_DATA_MAX = 4 * INTAKE_BODY_MAX, /* of the call's, canonical: escapes may lengthen it */
    INTAKE_KEY_MAX = 200,                  /* characters of a DedupeKey */
    INTAKE_AHEAD_MS = 5 * 60 * 1000,       /* how far a sender's clock may be ahead of ours */
};

#define INTAKE_TYPE_WRONG "must be an event type of GET /EventCatalog"

struct addressee {
    char sid[SID_TEXT];
    int64_t account; /* 0: not known yet, to be looked up */
};

struct incoming {
    const struct event_type *type;
    int64_t occurred_at;
    char *dedupe_key; /* NULL: none */
    size_t data_at, data_len;
    bool on_request;        /* data points on request are in its data */
    size_t to_at, to_count; /* among the intake's addressees */
};

struct intake {
    struct api_job api;
    bool batch;         /* places are written with "Events[i]." */
    bool of_added_type; /* one is of an event type that was added, or is not known here */
    struct incoming *events;
    size_t count, room;
    struct addressee *to;
    size_t to_count, to_room;
    struct buf data; /* canonical, one after the other */
    int64_t *ids; /* set when written: of each event in order, of each of its accounts in order */
    size_t id_count, id_room;
    size_t total, bytes; /* for admission */
    bool entered;
};

/* Reads one event; the next one of a batch. */
void intake_add(struct intake *intake, const struct json_value *event);
/* One that cannot be read at all: it has its number, and this problem. */
void intake_add_wrong(struct intake *intake, const char *what);
/* A problem with the event of that number: field "" means the event itself. */
void intake_problem(struct intake *intake, size_t event, const char *field, const char *what);
void intake_id(struct intake *intake, int64_t id);
void intake_free(struct intake *intake); /* what it owns, not itself */

#endif
