/* postgres_sql.c — one walk over the text.
 *
 * What is quoted ('…', "…") or a comment is copied as it is; a word outside of these is compared
 * with the few that say what the statement does.  The texts are the program's own, so this is no
 * parser: it need not understand what no noun writes (dollar quotes, E'…').
 */
#include "db/postgres_sql.h"

#include "base/buf.h"
#include "base/fail.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* How long the quoted text, comment or word is that begins here; 0: another character. */
static size_t span(const char *at)
{
    const char *end = NULL;

    if (*at == '\'' || *at == '"')
        end = strchr(at + 1, *at); /* a doubled quote is the end and the beginning of another */
    else if (at[0] == '-' && at[1] == '-')
        end = strchr(at, '\n');
    else if (at[0] == '/' && at[1] == '*') {
        end = strstr(at + 2, "*/");
        end = end != NULL ? end + 1 : NULL;
    } else {
        size_t len = 0;
        while (is_word(at[len]))
            len++;
        return len;
    }
    return end != NULL ? (size_t)(end - at) + 1 : strlen(at);
}

static bool same_word(const char *at, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(at, word, len) == 0;
}

static void note_word(struct postgres_sql *out, bool first, const char *at, size_t len)
{
    static const char *const changes[] = { "INSERT", "UPDATE", "DELETE" };

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        if (!same_word(at, len, changes[i]))
            continue;
        out->writes = true;
        if (first)
            out->rows = false;
    }
    if (same_word(at, len, "RETURNING"))
        out->rows = true;
}

/* The parameter behind a question mark: how many digits were read. */
static size_t number_of(const char *digits, int highest, int *number)
{
    size_t len = 0;

    *number = 0;
    for (; isdigit((unsigned char)digits[len]) && *number <= POSTGRES_PARAMETERS_MOST; len++)
        *number = *number * 10 + (digits[len] - '0');
    if (len == 0)
        *number = highest + 1;
    return len;
}

struct postgres_sql postgres_sql_of(const char *sql)
{
    struct postgres_sql out = { .rows = true };
    struct buf text = { 0 };
    bool first = true;

    for (const char *at = sql; *at != '\0';) {
        if (*at == '?') {
            int number;
            at += 1 + number_of(at + 1, out.parameters, &number);
            if (number < 1 || number > POSTGRES_PARAMETERS_MOST)
                bug("a parameter of no number: %s", sql);
            out.parameters = number > out.parameters ? number : out.parameters;
            buf_fmt(&text, "$%d", number);
            continue;
        }
        size_t len = span(at);
        if (len > 0 && is_word(*at)) {
            note_word(&out, first, at, len);
            first = false;
        }
        len = len > 0 ? len : 1;
        buf_add(&text, at, len);
        at += len;
    }
    out.text = buf_take(&text);
    return out;
}
