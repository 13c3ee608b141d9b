/* problem.h — the list of everything wrong with a request, field by field.
 *
 * A validator adds a problem for each wrong field and goes on, so that one answer names all.
 */
#ifndef POSTBACKD_PROBLEM_H
#define POSTBACKD_PROBLEM_H

#include <stddef.h>

enum { PROBLEMS_MAX = 100 }; /* further ones are dropped */

struct problem {
    char *field;   /* as the client wrote it: "Sale Amount", "TransactionDate", "Events[3].Type" */
    char *message; /* what is wrong and what would be right */
};

struct problems { /* all zeroes is an empty list */
    struct problem *items;
    size_t count;
};

void problems_add(struct problems *problems, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problems_keep(struct problems *problems, size_t count); /* the first ones; frees the others */
void problems_free(struct problems *problems);               /* back to empty */

#endif
