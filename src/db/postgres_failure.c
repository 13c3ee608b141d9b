/* postgres_failure.c — a table of SQLSTATEs, looked through for the longest beginning that fits.
 *
 * The rule: what is in no row is trouble, which may pass.  Nothing here ends the program: the
 * database is another machine's, and what is wrong with it is mended there.
 */
#include "db/postgres_failure.h"

#include <string.h>

static const struct {
    const char *begins;
    enum db_failure failure;
} table[] = {
    { "08", DB_LOST },       /* connection exception */
    { "22", DB_CONSTRAINT }, /* data exception: a value that its type does not take */
    { "23", DB_CONSTRAINT }, /* integrity */
    { "25006", DB_LOST },    /* read-only: the primary has become a standby */
    { "25P03", DB_LOST },    /* idle in a transaction for too long */
    { "40001", DB_RETRY },   /* serialisation */
    { "40P01", DB_RETRY },   /* deadlock */
    { "42", DB_FATAL },      /* no such table, no right to it: somebody has to see to it */
    { "53100", DB_FULL },    /* disk */
    { "53300", DB_LOST },    /* too many connections */
    { "53400", DB_FULL },    /* a configured limit, of temporary files for one */
    { "54", DB_CONSTRAINT }, /* larger than an index or a row takes */
    { "57P01", DB_LOST },    /* shut down by its administrator */
    { "57P02", DB_LOST },    /* another backend crashed */
    { "57P03", DB_LOST },    /* is starting, or shutting down */
    { "57P04", DB_LOST },    /* the database was dropped */
    { "57P05", DB_LOST },    /* idle for too long */
    { "PB001", DB_FENCED },  /* postbackd_guard() (schema/postgresql): another one has its place */
    { "PB002", DB_RETRY },   /* … there is news */
    { "XX001", DB_FATAL },   /* data corrupted */
    { "XX002", DB_FATAL },   /* index corrupted */
};

enum db_failure postgres_failure(const char *state)
{
    if (state == NULL || state[0] == '\0')
        return DB_LOST;
    enum db_failure failure = DB_TROUBLE;
    size_t longest = 0;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t len = strlen(table[i].begins);
        if (len > longest && strncmp(state, table[i].begins, len) == 0) {
            longest = len;
            failure = table[i].failure;
        }
    }
    return failure;
}

bool postgres_failure_is_ours(const char *state)
{
    static const char *const ours[] = {
        "42601", /* syntax */
        "42703", /* no such column */
        "42803", /* grouping */
        "42804", /* types that do not meet */
        "42846", /* no such cast */
        "42883", /* no such function or operator */
        "42P02", /* no such parameter */
        "42P08", /* a parameter of two types */
        "42P18", /* a parameter of no type */
        "08P01", /* parameters that were not bound, … */
    };
    for (size_t i = 0; state != NULL && i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(state, ours[i]) == 0)
            return true;
    }
    return false;
}
