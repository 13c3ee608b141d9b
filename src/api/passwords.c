/* passwords.c — the line before argon2id, and a password on its way through it.
 *
 * libuv's threads do the work, and nothing else uses them.  The loop counts what it has given them,
 * so the line is no more than a list.  A password lives in one place, its job, and is wiped there.
 */
#include "api/passwords.h"

#include "base/fail.h"
#include "server/call.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(PASSWORD_HASH_TEXT == crypto_pwhash_STRBYTES, "a hash fits");

enum { BYTES_MAX = 1024 };

/* Of 32 random bytes that nobody has: what an unknown user's password is compared with. */
static const char nobodys[] = "$argon2id$v=19$m=65536,t=2,p=1$m/"
                              "8iAaO34DqFZC8zutYFNQ$umjsasPFCJuERnDLHQtP7OS8ESKCFNe8FtLIFVAwZ2A";

struct passwords {
    uv_loop_t *loop;
    struct list line;
    size_t waiting, going;
    bool closed;
};

struct passwords *passwords_new(uv_loop_t *loop)
{
    struct passwords *pool = must_alloc(sizeof(*pool));
    pool->loop = loop;
    list_init(&pool->line);
    return pool;
}

static void work(uv_work_t *request)
{
    struct password_job *job = container_of(request, struct password_job, work);
    const char *hash = job->hash[0] != '\0' ? job->hash : nobodys;
    size_t len = strlen(job->password);
    if (job->make)
        job->answer =
            crypto_pwhash_str(job->hash, job->password, len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0
                ? PASSWORD_RIGHT
                : PASSWORD_UNASKED;
    else
        job->answer = crypto_pwhash_str_verify(hash, job->password, len) == 0 && hash == job->hash
                          ? PASSWORD_RIGHT
                          : PASSWORD_WRONG;
    password_wipe(job->password);
    job->password = NULL;
}

static void go_on(struct passwords *pool);

static void worked(uv_work_t *request, int status)
{
    (void)status; /* nothing is cancelled */
    struct password_job *job = container_of(request, struct password_job, work);
    struct passwords *pool = job->pool;
    pool->going--;
    job->done(job, job->answer);
    go_on(pool);
}

static void go_on(struct passwords *pool)
{
    struct list *first;
    while (pool->going < PASSWORDS_AT_ONCE && (first = list_first(&pool->line)) != NULL) {
        struct password_job *job = container_of(first, struct password_job, in);
        list_remove(first);
        pool->waiting--;
        pool->going++;
        if (uv_queue_work(pool->loop, &job->work, work, worked) != 0)
            bug("a password cannot be given to libuv's threads");
    }
}

bool passwords_take(struct passwords *pool, struct password_job *job)
{
    if (pool->closed || (pool->going == PASSWORDS_AT_ONCE && pool->waiting == PASSWORDS_LINE))
        return false;
    job->pool = pool;
    list_append(&pool->line, &job->in);
    pool->waiting++;
    go_on(pool);
    return true;
}

void passwords_close(struct passwords *pool)
{
    struct list *first;
    pool->closed = true;
    while ((first = list_first(&pool->line)) != NULL) {
        struct password_job *job = container_of(first, struct password_job, in);
        list_remove(first);
        pool->waiting--;
        password_wipe(job->password);
        job->password = NULL;
        job->done(job, PASSWORD_UNASKED);
    }
    while (pool->going > 0)
        uv_run(pool->loop, UV_RUN_ONCE);
}

void passwords_free(struct passwords *pool)
{
    if (pool != NULL && pool->going + pool->waiting > 0)
        bug("the passwords are freed while some are looked at");
    free(pool);
}

/* ---- a body's ---- */

/* Not by fields_text(), which trims. */
char *password_read(struct call *call, const json_t *body, const char *name, bool fresh,
                    struct problems *problems)
{
    const json_t *given = json_object_get(body, name);
    const char *text = json_string_value(given), *flaw = NULL;
    size_t len = json_string_length(given);

    if (text == NULL || len == 0)
        problems_add(problems, name, "is required");
    else if (strlen(text) != len)
        problems_add(problems, name, "must not hold a NUL character");
    else if (fresh && (flaw = password_flaw(text)) != NULL)
        problems_add(problems, name, "%s", flaw);
    else if (len > BYTES_MAX)
        problems_add(problems, name, "must have at most %d bytes", BYTES_MAX);
    char *password = problems->count == 0 ? must_copy(text) : NULL;
    if (text != NULL)
        sodium_memzero((char *)(uintptr_t)text, len);
    if (call->body.data != NULL)
        sodium_memzero(call->body.data, call->body.len);
    return password;
}

void password_wipe(char *password)
{
    if (password != NULL)
        sodium_memzero(password, strlen(password));
    free(password);
}

void password_refuse(struct call *call)
{
    call_add_header(call, "Retry-After", "2");
    call_refuse(call, 503, NULL, "Too many passwords are being looked at; try again later.");
}
