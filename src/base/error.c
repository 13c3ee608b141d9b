/* error.c — see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

void error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    if (error == NULL || error->kind != ERROR_NONE)
        return;
    error->kind = kind;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
}
