/* postgres_libpq.h — PostgreSQL's client library, loaded when a database on PostgreSQL is opened.
 *
 * It and what it needs take 3 MiB, which a server with a SQLite file is not to pay for.  So it is
 * no library that the program is linked with: its functions are called as libpq.PQ….
 */
#ifndef POSTBACKD_POSTGRES_LIBPQ_H
#define POSTBACKD_POSTGRES_LIBPQ_H

#include "base/error.h"

#include <libpq-fe.h>
#include <stdbool.h>

#define LIBPQ_FUNCTIONS(each)                                                                      \
    each(PQbackendPID) each(PQcancel) each(PQclear) each(PQcmdStatus) each(PQcmdTuples)            \
        each(PQconndefaults) each(PQconnectdbParams) each(PQconninfoFree) each(PQconninfoParse)    \
            each(PQconsumeInput) each(PQenterPipelineMode) each(PQerrorMessage) each(PQexec)       \
                each(PQexitPipelineMode) each(PQfinish) each(PQflush) each(PQfname)                \
                    each(PQfreemem) each(PQfreeCancel) each(PQftype) each(PQgetCancel)             \
                        each(PQgetResult) each(PQgetisnull) each(PQgetlength) each(PQgetvalue)     \
                            each(PQisBusy) each(PQnfields) each(PQnotifies) each(PQntuples)        \
                                each(PQpipelineSync) each(PQresultErrorField)                      \
                                    each(PQresultErrorMessage) each(PQresultStatus)                \
                                        each(PQsendFlushRequest) each(PQsendPrepare)               \
                                            each(PQsendQueryParams) each(PQsendQueryPrepared)      \
                                                each(PQsetNoticeReceiver) each(PQsetnonblocking)   \
                                                    each(PQsocket) each(PQstatus)

struct libpq {
#define LIBPQ_MEMBER(name) __typeof__(name) *(name);
    LIBPQ_FUNCTIONS(LIBPQ_MEMBER)
#undef LIBPQ_MEMBER
};
extern struct libpq libpq;

/* Before all else, on one thread.  False with *error: it is not there, or too old. */
bool libpq_load(struct error *error);

#endif
