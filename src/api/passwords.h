/* passwords.h — argon2id off the loop: a password is checked, or its hash made, on threads of its
 * own.
 *
 * One takes a tenth of a second and 64 MiB, and anyone may ask for one: at most PASSWORDS_AT_ONCE
 * go on, PASSWORDS_LINE wait, and further ones are refused.
 */
#ifndef POSTBACKD_PASSWORDS_H
#define POSTBACKD_PASSWORDS_H

#include "base/list.h"
#include "base/problem.h"
#include "store/accounts.h"

#include <jansson.h>
#include <uv.h>

struct call;
struct passwords;

enum { PASSWORDS_AT_ONCE = 2, PASSWORDS_LINE = 32 };

enum password_answer {
    PASSWORD_RIGHT, /* or: the hash is made */
    PASSWORD_WRONG,
    PASSWORD_UNASKED, /* the server stops, or there is no memory: password_refuse() */
};

struct password_job { /* at the head of the caller's own struct */
    char *password;   /* owned by the job: wiped and freed before done() */
    /* To compare with ("": with nobody's, which takes as long and is wrong); or made. */
    char hash[PASSWORD_HASH_TEXT];
    bool make;
    void (*done)(struct password_job *job, enum password_answer answer); /* on the loop */

    /* the pool's own */
    struct list in;
    struct passwords *pool;
    enum password_answer answer;
    uv_work_t work;
};

struct passwords *passwords_new(uv_loop_t *loop);
/* Never calls done() before it returns.  False: the line is full, and the job is the caller's. */
bool passwords_take(struct passwords *pool, struct password_job *job);
/* Those that wait end unasked; turns the loop until those that go on have ended. */
void passwords_close(struct passwords *pool);
void passwords_free(struct passwords *pool);

/* A member of a body as a password, owned by the caller; NULL with a problem when it is missing,
 * and, when it is to be a `fresh` one, when it breaks the rule of model/account.h.  The copies in
 * the call and in the body are wiped with it: read what else is in them first. */
char *password_read(struct call *call, const json_t *body, const char *name, bool fresh,
                    struct problems *problems);
void password_wipe(char *password);      /* and frees it */
void password_refuse(struct call *call); /* 503: later */

#endif
