/* support.h — support requests on disk.  Every function names the account it acts for. */
#ifndef POSTBACKD_STORE_SUPPORT_H
#define POSTBACKD_STORE_SUPPORT_H

#include "base/id_list.h"
#include "db/store.h"
#include "model/support.h"

/* Writes it, OPEN, with its first message; sets its id.  False: the account has too many open
 * (ERROR_CONFLICT), or the notification is none of its own (a problem). */
bool support_add(struct job *job, struct db *db, struct support_request *request,
                 const char *author, const char *text, struct problems *problems);
/* Of this account (0: of any), with its messages.  False: there is none; else out owns its
 * strings. */
bool support_find(struct db *db, int64_t account, int64_t id, struct support_request *out);
/* Writes a message of `by` and what it makes of a request that support_find() gave.  False with
 * ERROR_CONFLICT: the thread is full, or the account has too many open. */
bool support_write(struct job *job, struct db *db, struct support_request *request, int64_t by,
                   const char *author, const char *text, enum support_state state);

struct support_filter { /* 0: any */
    int64_t account;
    enum support_state state;
    int64_t page, page_size; /* page from 1 */
};
/* The ids of a page, and how many there are in all: for the operator those that wait first, the
 * oldest of them first. */
void support_ids(struct db *db, const struct support_filter *filter, bool for_operator,
                 struct id_list *ids, int64_t *total);
/* One of them as a list shows it, without its messages; NULL: it is gone. */
json_t *support_listed(struct db *db, int64_t id, bool for_operator);

#endif
