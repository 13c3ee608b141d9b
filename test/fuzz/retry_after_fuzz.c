/* Retry-After: whatever it says, the delay is none, nought or more. */
#include "model/retry_after.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
    char *text = malloc(len + 1);
    memcpy(text, bytes, len);
    text[len] = '\0';
    int64_t now_ms = INT64_C(1790000000000);
    if (retry_after_parse(text, now_ms) < -1)
        abort();
    free(text);
    return 0;
}
