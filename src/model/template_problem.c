/* template_problem.c — what is wrong with a template, and where its author finds it. */
#include "model/template_parts.h"

#include <stdarg.h>
#include <stdio.h>

void template_problem(const char *source, size_t at, const char *field, struct problems *problems,
                      const char *format, ...)
{
    char message[400];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at && source[i] != '\0'; i++) {
        if (source[i] == '\n') {
            line++;
            column = 1;
        } else {
            column += ((unsigned char)source[i] & 0xc0) != 0x80; /* counts characters */
        }
    }
    problems_add(problems, field, "line %zu, column %zu: %s", line, column, message);
}
