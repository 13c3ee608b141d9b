/* flags.h — the flags of a command that is no server: `--name VALUE`, `--name` for yes, `--help`.
 */
#ifndef POSTBACKD_CLI_FLAGS_H
#define POSTBACKD_CLI_FLAGS_H

#include <stdbool.h>

struct flag {
    const char *name;
    const char **value; /* is set to what is given; NULL: it takes no value */
    bool *on;           /* … and this is true then */
    bool uri;           /* refused with a password in it, as everybody could read that */
};

/* `flags` ends with a row without a name.  True: all were read.  False with the code to end with,
 * once the help was shown or standard error says what is wrong (flags_refuse()). */
bool flags_read(const char *command, const char *help, const struct flag *flags, int argc,
                char **argv, int *code);
/* "postbackd COMMAND: WORD WHY" on standard error; gives the code for a wrong call, 2. */
int flags_refuse(const char *command, const char *word, const char *why);

#endif
