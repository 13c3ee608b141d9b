/* fail.c — ending the program, and memory that cannot fail. */
#include "base/fail.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 0))) static void say(const char *event, const char *format,
                                                      va_list args)
{
    char message[1024];
    vsnprintf(message, sizeof(message), format, args);
    log_error(event, LOG_T("reason", message));
    log_flush();
}

_Noreturn void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("stopped", format, args);
    va_end(args);
    _Exit(1);
}

_Noreturn void bug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("bug", format, args);
    va_end(args);
    abort();
}

void *must_alloc(size_t size)
{
    void *memory = calloc(1, size != 0 ? size : 1);
    if (memory == NULL)
        die("out of memory for %zu bytes", size);
    return memory;
}

void *must_resize(void *old, size_t size)
{
    void *memory = realloc(old, size != 0 ? size : 1);
    if (memory == NULL)
        die("out of memory for %zu bytes", size);
    return memory;
}

char *must_copy(const char *text)
{
    return text != NULL ? must_copy_bytes(text, strlen(text)) : NULL;
}

char *must_copy_bytes(const void *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy == NULL)
        die("out of memory for %zu bytes", len);
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}
