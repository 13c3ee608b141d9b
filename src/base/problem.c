/* problem.c — see problem.h. */
#include "base/problem.h"

#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void problems_add(struct problems *problems, const char *field, const char *format, ...)
{
    if (problems->count == PROBLEMS_MAX)
        return;
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (problems->count % 8 == 0)
        problems->items =
            must_resize(problems->items, (problems->count + 8) * sizeof(*problems->items));
    problems->items[problems->count++] =
        (struct problem){ .field = must_copy(field), .message = must_copy(message) };
}

void problems_keep(struct problems *problems, size_t count)
{
    while (problems->count > count) {
        struct problem *last = &problems->items[--problems->count];
        free(last->field);
        free(last->message);
    }
}

void problems_free(struct problems *problems)
{
    problems_keep(problems, 0);
    free(problems->items);
    *problems = (struct problems){ 0 };
}
